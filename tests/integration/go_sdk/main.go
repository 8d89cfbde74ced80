// Command go_sdk records spans with the OpenTelemetry Go SDK, sends them to an OTLP endpoint, and
// prints what it sent: one JSON line a request, {"request": base64 of ExportTraceServiceRequest}.
//
//	go_sdk grpc|grpc-gzip|http|http-gzip HOST:PORT
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// recorder passes every upload on and prints it once the server has acknowledged it.
type recorder struct {
	otlptrace.Client
	out *json.Encoder
}

func (r recorder) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	if err := r.Client.UploadTraces(ctx, spans); err != nil {
		return err
	}
	bytes, err := proto.Marshal(&collectorpb.ExportTraceServiceRequest{ResourceSpans: spans})
	if err != nil {
		return err
	}
	return r.out.Encode(map[string][]byte{"request": bytes})
}

func newClient(transport, address string) (otlptrace.Client, error) {
	switch transport {
	case "grpc":
		return otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure()), nil
	case "grpc-gzip":
		return otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithCompressor("gzip")), nil
	case "http":
		return otlptracehttp.NewClient(otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure()), nil
	case "http-gzip":
		return otlptracehttp.NewClient(otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure(),
			otlptracehttp.WithCompression(otlptracehttp.GzipCompression)), nil
	}
	return nil, fmt.Errorf("unknown transport %q", transport)
}

// values is every type that the API takes, at its edges.
func values() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("str", "plain"),
		attribute.String("str.empty", ""),
		attribute.String("str.unicode", "Grüße, 日本語, \U0001f9f5, \x00 and \u2028"),
		attribute.String("str.long", strings.Repeat("x", 1<<20)),
		attribute.Bool("bool.true", true),
		attribute.Bool("bool.false", false),
		attribute.Int64("int.min", math.MinInt64),
		attribute.Int64("int.max", math.MaxInt64),
		attribute.Int("int.zero", 0),
		attribute.Float64("float.whole", 3),
		attribute.Float64("float.tiny", 1e-300),
		attribute.Float64("float.minus_zero", math.Copysign(0, -1)),
		attribute.Float64("float.inf", math.Inf(1)),
		attribute.Float64("float.nan", math.NaN()),
		attribute.StringSlice("strs", []string{"a", "", "ü"}),
		attribute.BoolSlice("bools", []bool{true, false}),
		attribute.Int64Slice("ints", []int64{math.MinInt64, 0, math.MaxInt64}),
		attribute.Float64Slice("floats", []float64{0.5, 1e-300, -2}),
		attribute.StringSlice("strs.none", []string{}),
	}
}

func remoteContext() trace.SpanContext {
	state, err := trace.ParseTraceState("vendor=opaque-1,rojo=00f067aa0ba902b7")
	if err != nil {
		log.Fatal(err)
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    trace.TraceID{0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff},
		SpanID:     trace.SpanID{0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7},
		TraceFlags: trace.FlagsSampled,
		TraceState: state,
		Remote:     true,
	})
}

func record(provider trace.TracerProvider) {
	full := provider.Tracer("scope.full", trace.WithInstrumentationVersion("1.2.3"),
		trace.WithSchemaURL("https://opentelemetry.io/schemas/1.27.0"),
		trace.WithInstrumentationAttributes(attribute.String("scope.str", "s"), attribute.Int("scope.int", -1)))
	bare := provider.Tracer("scope.bare")

	ctx, root := full.Start(context.Background(), "root", trace.WithAttributes(values()...))
	kinds := []trace.SpanKind{trace.SpanKindInternal, trace.SpanKindServer, trace.SpanKindClient,
		trace.SpanKindProducer, trace.SpanKindConsumer}
	for _, kind := range kinds {
		_, span := bare.Start(ctx, "kind "+kind.String(), trace.WithSpanKind(kind))
		span.End()
	}

	_, events := full.Start(ctx, "events")
	events.AddEvent("bare")
	events.AddEvent("all types", trace.WithAttributes(values()...), trace.WithTimestamp(time.Unix(1, 1)))
	events.RecordError(errors.New("boom"), trace.WithStackTrace(true))
	events.SetStatus(codes.Error, "it broke")
	events.End()

	_, links := full.Start(ctx, "links", trace.WithLinks(
		trace.Link{SpanContext: remoteContext(), Attributes: values()},
		trace.Link{SpanContext: root.SpanContext()}))
	links.AddLink(trace.Link{SpanContext: remoteContext()})
	links.SetStatus(codes.Ok, "")
	links.End()

	_, timed := bare.Start(ctx, "timed", trace.WithTimestamp(time.Unix(0, 1)))
	timed.End(trace.WithTimestamp(time.Unix(0, 2)))
	root.End()

	remote := trace.ContextWithRemoteSpanContext(context.Background(), remoteContext())
	_, child := full.Start(remote, "of a remote parent", trace.WithSpanKind(trace.SpanKindServer))
	child.End()
}

func run(transport, address string) error {
	client, err := newClient(transport, address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	exporter, err := otlptrace.New(ctx, recorder{client, json.NewEncoder(os.Stdout)})
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithMaxExportBatchSize(8)),
		sdktrace.WithResource(resource.NewWithAttributes("https://opentelemetry.io/schemas/1.26.0",
			attribute.String("service.name", "go "+transport), attribute.Int("res.int", 7),
			attribute.StringSlice("res.list", []string{"x", "y"}))))
	record(provider)
	if err := provider.ForceFlush(ctx); err != nil {
		return err
	}
	return provider.Shutdown(ctx)
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go_sdk grpc|grpc-gzip|http|http-gzip HOST:PORT")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

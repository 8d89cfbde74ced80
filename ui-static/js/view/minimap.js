/* minimap.js - the whole trace in a strip. Dragging over it chooses the visible range. */
import { h } from './dom.js';
import { clampRange, wholeRange } from '../model/layout.js';

/** A press that moves less is a click, not a choice. */
const DRAG_MIN_PX = 4;

/** What a token stands for now: a canvas doesn't know var(). */
/** @param {HTMLElement} probe @param {string} token */
function colorOfToken(probe, token) {
  probe.style.color = `var(${token})`;
  return getComputedStyle(probe).color;
}

/**
 * @param {HTMLElement} parent
 * @param {Trace} trace
 * @param {{colorOf: ColorOf, setRange: (range: ViewRange) => void}} context
 */
export function mountMinimap(parent, trace, { colorOf, setRange }) {
  const canvas = h('canvas');
  const [left, right] = [0, 1].map(() => h('div', { class: 'minimap-shade' }));
  const view = h('div', {
    class: 'minimap', 'aria-hidden': 'true',
    title: 'Drag to choose a range; double-click for all of it',
    pointerdown, dblclick: () => setRange(whole),
  }, left, right, canvas);
  const whole = wholeRange(trace.duration);
  parent.append(view);

  function draw() {
    const { width, height } = view.getBoundingClientRect();
    const context = canvas.getContext('2d');
    if (context === null || width === 0) {
      return;
    }
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    context.scale(devicePixelRatio, devicePixelRatio);
    const colors = new Map(trace.services.map(({ name }) =>
      [name, colorOfToken(canvas, `--service-${colorOf(name)}`)]));
    const error = colorOfToken(canvas, '--error');
    const step = Math.min(5, (height - 8) / trace.nodes.length);
    for (const { index, span, start, duration, isError } of trace.nodes) {
      if (span !== null) {
        context.fillStyle = isError ? error : /** @type {string} */ (colors.get(span.service));
        context.fillRect((start / whole.to) * width, 4 + index * step,
          Math.max(1, (Math.max(0, duration) / whole.to) * width), Math.max(0.8, step - 1));
      }
    }
  }

  /** @param {PointerEvent} event */
  function pointerdown(event) {
    const { left: edge, width } = view.getBoundingClientRect();
    /** @param {PointerEvent} at */
    const timeAt = (at) => ((at.clientX - edge) / width) * whole.to;
    const first = timeAt(event);
    view.setPointerCapture(event.pointerId);
    view.onpointermove = (move) => {
      if (Math.abs(move.clientX - event.clientX) >= DRAG_MIN_PX) {
        const last = timeAt(move);
        setRange(clampRange({ from: Math.max(0, Math.min(first, last)),
          to: Math.min(whole.to, Math.max(first, last)) }, trace.duration));
      }
    };
    view.onpointerup = () => { view.onpointermove = null; };
  }

  const observer = new ResizeObserver(draw);
  observer.observe(view);
  addEventListener('themechange', draw);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', draw);
  return {
    /** @param {ViewRange} range */
    setRange({ from, to }) {
      left.style.width = `${(from / whole.to) * 100}%`;
      right.style.width = `${(1 - to / whole.to) * 100}%`;
      left.classList.toggle('is-empty', from === 0);
      right.classList.toggle('is-empty', to === whole.to);
    },
    unmount() {
      observer.disconnect();
      removeEventListener('themechange', draw);
      dark.removeEventListener('change', draw);
    },
  };
}

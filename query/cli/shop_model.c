#include "query/cli/shop_model.h"

#include <string.h>

#include "common/check.h"

enum service {
    STOREFRONT,
    GATEWAY,
    CATALOG,
    RECOMMENDATIONS,
    SEARCH,
    CART,
    CHECKOUT,
    PAYMENT,
    SHIPPING,
    ACCOUNTS,
    WAREHOUSE,
    MAILER,
};

const struct bb_shop_service bb_shop_services[BB_SHOP_SERVICE_COUNT] = {
    [STOREFRONT] = {"storefront", "nodejs", "4.11.2", "@shop/http"},
    [GATEWAY] = {"gateway", "go", "1.8.0", "shop.example/gateway/middleware"},
    [CATALOG] = {"catalog", "go", "2.3.1", "shop.example/catalog/server"},
    [RECOMMENDATIONS] = {"recommendations", "python", "0.9.7", "recommendations.tracing"},
    [SEARCH] = {"search", "java", "3.2.0", "shop.search.telemetry"},
    [CART] = {"cart", "dotnet", "1.14.0", "Shop.Cart.Diagnostics"},
    [CHECKOUT] = {"checkout", "java", "5.0.3", "shop.checkout.telemetry"},
    [PAYMENT] = {"payment", "rust", "2.0.0", "payment::trace"},
    [SHIPPING] = {"shipping", "go", "1.4.6", "shop.example/shipping/server"},
    [ACCOUNTS] = {"accounts", "java", "3.7.1", "shop.accounts.telemetry"},
    [WAREHOUSE] = {"warehouse", "cpp", "6.1.0", "warehouse"},
    [MAILER] = {"mailer", "python", "1.2.2", "mailer.tracing"},
};

enum operation {
    PAGE_HOME,
    PAGE_PRODUCT,
    PAGE_SEARCH,
    PAGE_CART_ADD,
    PAGE_CHECKOUT,
    PAGE_LOGIN,
    API_PRODUCTS,
    API_HEALTH,
    JOB_STOCK,
    CONSUME_MAIL,
    CONSUME_SHIP,
    PLACE_ORDER,
    RECOMMEND,
    SEARCH_QUERY,
    CHARGE,
    QUOTE,
    LOGIN,
    STOCK_RESERVE,
    STOCK_GET,
    CART_ADD,
    CART_GET,
    CART_EMPTY,
    CATALOG_LIST,
    CATALOG_GET,
    DB_PRODUCTS,
    DB_PRODUCT,
    DB_USER,
    DB_PAYMENT,
    DB_SHIPMENT,
    DB_STOCK,
    DB_STOCK_UPDATE,
    DB_SEARCH,
    CACHE_PRODUCT,
    CACHE_CART,
    CACHE_CART_SET,
    CACHE_CART_DELETE,
    OUT_CARD,
    OUT_CARRIER,
    OUT_SMTP,
    SEND_ORDER,
    WORK_RENDER,
    WORK_PREDICT,
    WORK_RANK,
    WORK_FRAUD,
    WORK_HASH,
    WORK_TEMPLATE,
    OPERATION_COUNT,
};

#define TOPIC_ORDERS "orders"

/*
 * The calls of an operation make no circle: a call names an operation further down in this table,
 * so that a trace ends. A test holds on to it. What has no service of its own (0) runs
 * at its caller.
 *
 * Formatted by hand: a line or two an operation, its calls below.
 */
/* clang-format off */
const struct bb_shop_operation bb_shop_operations[] = {
    [PAGE_HOME] = {"GET /", BB_SHOP_PAGE, STOREFRONT, true, 2500, "/", "GET", NULL,
        {{CATALOG_LIST, 100, 1, 1}, {RECOMMEND, 90, 1, 1}, {CART_GET, 60, 1, 1},
         {WORK_RENDER, 100, 1, 1}}},
    [PAGE_PRODUCT] = {"GET /product/:id", BB_SHOP_PAGE, STOREFRONT, true, 1800, "/product/:id",
        "GET", NULL,
        {{CATALOG_GET, 100, 1, 1}, {STOCK_GET, 100, 1, 1}, {RECOMMEND, 80, 1, 1},
         {WORK_RENDER, 100, 1, 1}}},
    [PAGE_SEARCH] = {"GET /search", BB_SHOP_PAGE, STOREFRONT, false, 1500, "/search", "GET", NULL,
        {{SEARCH_QUERY, 100, 1, 1}, {CATALOG_GET, 70, 1, 4}, {WORK_RENDER, 100, 1, 1}}},
    [PAGE_CART_ADD] = {"POST /cart", BB_SHOP_PAGE, STOREFRONT, false, 900, "/cart", "POST", NULL,
        {{CART_ADD, 100, 1, 1}, {CART_GET, 100, 1, 1}}},
    [PAGE_CHECKOUT] = {"POST /checkout", BB_SHOP_PAGE, STOREFRONT, false, 2200, "/checkout",
        "POST", NULL,
        {{PLACE_ORDER, 100, 1, 1}, {RECOMMEND, 40, 1, 1}, {WORK_RENDER, 100, 1, 1}}},
    [PAGE_LOGIN] = {"POST /login", BB_SHOP_PAGE, STOREFRONT, false, 700, "/login", "POST", NULL,
        {{LOGIN, 100, 1, 1}, {CART_GET, 30, 1, 1}}},
    [API_PRODUCTS] = {"GET /api/products", BB_SHOP_PAGE, GATEWAY, false, 600, "/api/products",
        "GET", NULL,
        {{CATALOG_LIST, 100, 1, 1}, {STOCK_GET, 50, 1, 2}}},
    [API_HEALTH] = {"GET /healthz", BB_SHOP_PAGE, GATEWAY, false, 90, "/healthz", "GET", NULL,
        {{0}}},
    [JOB_STOCK] = {"stock sync", BB_SHOP_JOB, WAREHOUSE, false, 4000, "stock", NULL,
        "supplier feed is 2 hours old",
        {{OUT_CARRIER, 60, 1, 1}, {DB_STOCK_UPDATE, 100, 5, 55}}},
    [CONSUME_MAIL] = {TOPIC_ORDERS " process", BB_SHOP_CONSUME, MAILER, false, 1200, TOPIC_ORDERS,
        NULL,
        "no template for locale 'xx'",
        {{WORK_TEMPLATE, 100, 1, 1}, {OUT_SMTP, 100, 1, 1}}},
    [CONSUME_SHIP] = {TOPIC_ORDERS " process", BB_SHOP_CONSUME, SHIPPING, false, 1600,
        TOPIC_ORDERS, NULL,
        "order has no shipping address",
        {{STOCK_RESERVE, 100, 1, 3}, {OUT_CARRIER, 100, 1, 1}, {DB_SHIPMENT, 100, 1, 1}}},

    [PLACE_ORDER] = {"shop.Checkout/PlaceOrder", BB_SHOP_RPC, CHECKOUT, false, 3500,
        "shop.Checkout", NULL, NULL,
        {{CART_GET, 100, 1, 1}, {CATALOG_GET, 100, 1, 5}, {QUOTE, 100, 1, 1}, {CHARGE, 100, 1, 1},
         {SEND_ORDER, 100, 1, 1}, {CART_EMPTY, 100, 1, 1}}},
    [RECOMMEND] = {"shop.Recommendations/List", BB_SHOP_RPC, RECOMMENDATIONS, false, 2600,
        "shop.Recommendations",
        NULL, "model is not loaded",
        {{WORK_PREDICT, 100, 1, 1}, {CATALOG_GET, 100, 1, 3}}},
    [SEARCH_QUERY] = {"shop.Search/Query", BB_SHOP_RPC, SEARCH, false, 1900, "shop.Search", NULL,
        "query took longer than 2 s",
        {{DB_SEARCH, 100, 1, 2}, {WORK_RANK, 100, 1, 1}}},
    [CHARGE] = {"shop.Payment/Charge", BB_SHOP_RPC, PAYMENT, false, 1700, "shop.Payment", NULL,
        "card was declined: insufficient funds",
        {{WORK_FRAUD, 100, 1, 1}, {OUT_CARD, 100, 1, 2}, {DB_PAYMENT, 100, 1, 1}}},
    [QUOTE] = {"shop.Shipping/GetQuote", BB_SHOP_RPC, SHIPPING, false, 900, "shop.Shipping", NULL,
        "no carrier delivers to this address",
        {{OUT_CARRIER, 70, 1, 2}}},
    [LOGIN] = {"shop.Accounts/Authenticate", BB_SHOP_RPC, ACCOUNTS, false, 1300, "shop.Accounts",
        NULL,
        "too many attempts, account is locked",
        {{DB_USER, 100, 1, 1}, {WORK_HASH, 100, 1, 1}}},
    [STOCK_RESERVE] = {"shop.Warehouse/Reserve", BB_SHOP_RPC, WAREHOUSE, false, 1200,
        "shop.Warehouse", NULL,
        "out of stock",
        {{DB_STOCK, 100, 1, 1}, {DB_STOCK_UPDATE, 100, 1, 1}}},
    [STOCK_GET] = {"shop.Warehouse/GetStock", BB_SHOP_RPC, WAREHOUSE, false, 700,
        "shop.Warehouse", NULL, NULL,
        {{DB_STOCK, 100, 1, 1}}},
    [CART_ADD] = {"shop.Cart/AddItem", BB_SHOP_RPC, CART, false, 1100, "shop.Cart", NULL,
        "cart is full",
        {{CATALOG_GET, 100, 1, 1}, {CACHE_CART_SET, 100, 1, 1}}},
    [CART_GET] = {"shop.Cart/GetCart", BB_SHOP_RPC, CART, false, 600, "shop.Cart", NULL, NULL,
        {{CACHE_CART, 100, 1, 1}}},
    [CART_EMPTY] = {"shop.Cart/EmptyCart", BB_SHOP_RPC, CART, false, 500, "shop.Cart", NULL, NULL,
        {{CACHE_CART_DELETE, 100, 1, 1}}},
    [CATALOG_LIST] = {"shop.Catalog/ListProducts", BB_SHOP_RPC, CATALOG, false, 1400,
        "shop.Catalog", NULL, NULL,
        {{CACHE_PRODUCT, 100, 1, 1}, {DB_PRODUCTS, 35, 1, 1}}},
    [CATALOG_GET] = {"shop.Catalog/GetProduct", BB_SHOP_RPC, CATALOG, false, 500, "shop.Catalog",
        NULL, NULL,
        {{CACHE_PRODUCT, 100, 1, 1}, {DB_PRODUCT, 30, 1, 1}}},

    [DB_PRODUCTS] = {"SELECT products", BB_SHOP_DATABASE, 0, false, 6500, "products",
        "SELECT id, name, price FROM products WHERE category = $1 LIMIT 50", NULL, {{0}}},
    [DB_PRODUCT] = {"SELECT products", BB_SHOP_DATABASE, 0, false, 2100, "products",
        "SELECT * FROM products WHERE id = $1", "connection reset by peer", {{0}}},
    [DB_USER] = {"SELECT users", BB_SHOP_DATABASE, 0, false, 2400, "users",
        "SELECT id, password_hash FROM users WHERE email = $1", NULL, {{0}}},
    [DB_PAYMENT] = {"INSERT payments", BB_SHOP_DATABASE, 0, false, 3100, "payments",
        "INSERT INTO payments (id, order_id, amount) VALUES ($1, $2, $3)", "deadlock detected",
        {{0}}},
    [DB_SHIPMENT] = {"INSERT shipments", BB_SHOP_DATABASE, 0, false, 2900, "shipments",
        "INSERT INTO shipments (order_id, carrier) VALUES ($1, $2)", NULL, {{0}}},
    [DB_STOCK] = {"SELECT stock", BB_SHOP_DATABASE, 0, false, 1500, "stock",
        "SELECT quantity FROM stock WHERE sku = $1", NULL, {{0}}},
    [DB_STOCK_UPDATE] = {"UPDATE stock", BB_SHOP_DATABASE, 0, false, 1900, "stock",
        "UPDATE stock SET quantity = quantity - $2 WHERE sku = $1", "lock wait timeout exceeded",
        {{0}}},
    [DB_SEARCH] = {"SELECT product_texts", BB_SHOP_DATABASE, 0, false, 18000, "product_texts",
        "SELECT id FROM product_texts WHERE body @@ to_tsquery($1)",
        "canceling statement due to timeout", {{0}}},
    [CACHE_PRODUCT] = {"GET", BB_SHOP_CACHE, 0, false, 320, "product:?", NULL, NULL, {{0}}},
    [CACHE_CART] = {"HGETALL", BB_SHOP_CACHE, 0, false, 380, "cart:?", NULL, NULL, {{0}}},
    [CACHE_CART_SET] = {"HSET", BB_SHOP_CACHE, 0, false, 350, "cart:?", NULL,
        "READONLY You can't write against a read only replica.", {{0}}},
    [CACHE_CART_DELETE] = {"DEL", BB_SHOP_CACHE, 0, false, 300, "cart:?", NULL, NULL, {{0}}},
    [OUT_CARD] = {"POST", BB_SHOP_OUTSIDE, 0, false, 84000, "https://cards.example/v2/charges",
        "POST",
        "502 Bad Gateway", {{0}}},
    [OUT_CARRIER] = {"GET", BB_SHOP_OUTSIDE, 0, false, 46000, "https://carrier.example/rates",
        "GET",
        "timeout after 3 s", {{0}}},
    [OUT_SMTP] = {"POST", BB_SHOP_OUTSIDE, 0, false, 120000, "https://mail.example/send", "POST",
        "429 Too Many Requests", {{0}}},
    [SEND_ORDER] = {TOPIC_ORDERS " publish", BB_SHOP_SEND, 0, false, 1400, TOPIC_ORDERS, NULL,
        NULL, {{0}}},
    [WORK_RENDER] = {"render page", BB_SHOP_WORK, 0, false, 3800, NULL, NULL, NULL, {{0}}},
    [WORK_PREDICT] = {"predict", BB_SHOP_WORK, 0, false, 7200, NULL, NULL, NULL, {{0}}},
    [WORK_RANK] = {"rank results", BB_SHOP_WORK, 0, false, 2600, NULL, NULL, NULL, {{0}}},
    [WORK_FRAUD] = {"check for fraud", BB_SHOP_WORK, 0, false, 5200, NULL, NULL,
        "score 0.97 is over the limit", {{0}}},
    [WORK_HASH] = {"verify password", BB_SHOP_WORK, 0, false, 65000, NULL, NULL, NULL, {{0}}},
    [WORK_TEMPLATE] = {"fill template", BB_SHOP_WORK, 0, false, 2100, NULL, NULL, NULL, {{0}}},
};
/* clang-format on */
const uint32_t bb_shop_operation_count = OPERATION_COUNT;

const struct bb_shop_entry bb_shop_entries[] = {
    {PAGE_HOME, 22}, {PAGE_PRODUCT, 26}, {PAGE_SEARCH, 12}, {PAGE_CART_ADD, 10}, {PAGE_CHECKOUT, 6},
    {PAGE_LOGIN, 6}, {API_PRODUCTS, 8},  {API_HEALTH, 9},   {JOB_STOCK, 1},
};
const uint32_t bb_shop_entry_count = BB_ARRAY_COUNT(bb_shop_entries);

uint32_t bb_shop_consumers(uint32_t index, uint8_t out_operations[BB_SHOP_CONSUMERS_MAX])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < OPERATION_COUNT && count < BB_SHOP_CONSUMERS_MAX; i++) {
        if (bb_shop_operations[i].style == BB_SHOP_CONSUME &&
            strcmp(bb_shop_operations[i].target, bb_shop_operations[index].target) == 0) {
            out_operations[count++] = (uint8_t)i;
        }
    }
    return count;
}

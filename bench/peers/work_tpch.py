"""
The work `tpch`: the eight tables and 22 questions of TPC-H in shape, not the benchmark itself. Rows are made by DuckDB
with formulas of their own; subqueries that depend on the row outside are written as joins. ROWS is the number of rows of
`lineitem`, 6,000,000 for each unit of scale.
"""

import datetime
import os

from duckdb_tables import write_tables
from engine import TOP
from work_ssb import NATIONS, REGIONS

SCALE_ROWS = 6000000
LINES = [n for n in range(1, 8) for _ in range(n)]  # seven orders have 1 to 7 lines, 28 together
LINE_NUMBERS = [i + 1 for n in range(1, 8) for i in range(n)]
COLORS = ["almond", "azure", "beige", "blush", "chocolate", "coral", "forest", "ghost", "green", "indian", "khaki", "lime",
          "magenta", "navy", "olive", "plum", "rose", "salmon", "sienna", "tomato"]
SYLLABLES = (["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
             ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"], ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"])
CONTAINERS = (["SM", "LG", "MED", "JUMBO", "WRAP"], ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"])
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"]
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
WORDS = ["carefully", "quickly", "special", "pending", "ironic", "Customer", "Complaints", "requests", "deposits",
         "packages", "accounts", "final"]

MACROS = f"""
CREATE MACRO r(i, k, n) AS CAST(hash(i * 64 + k) % CAST(n AS UBIGINT) AS BIGINT);
CREATE MACRO money(cents) AS CAST(cents / 100 AS DECIMAL(15, 2));
CREATE MACRO word(i, k) AS {WORDS}[r(i, k, {len(WORDS)}) + 1];
CREATE MACRO remark(i) AS word(i, 40) || ' ' || word(i, 41) || ' ' || word(i, 42) || ' ' || r(i, 43, 1000);
CREATE MACRO phone(i, n) AS (10 + n) || '-' || (100 + r(i, 3, 900)) || '-' || (100 + r(i, 4, 900)) || '-' || (1000 + r(i, 5, 9000));
CREATE MACRO color(i, k) AS {COLORS}[r(i, k, {len(COLORS)}) + 1];
CREATE MACRO price(p) AS 90000 + (p // 10) % 20001 + 100 * (p % 1000);
CREATE MACRO supplier_of(p, j, n) AS (p + j * (n // 4 + (p - 1) // n)) % n + 1;
CREATE MACRO order_key(o) AS o // 8 * 32 + o % 8 + 1;
CREATE MACRO order_day(o) AS DATE '1992-01-01' + CAST(r(o, 23, 2406) AS INTEGER)
"""

TABLES = {
    "region": f"SELECT i AS r_regionkey, {REGIONS}[i + 1] AS r_name, remark(i) AS r_comment FROM range(0, 5) AS t(i)",
    "nation": f"""
        SELECT i AS n_nationkey, {NATIONS}[i + 1] AS n_name, i // 5 AS n_regionkey, remark(i + 100) AS n_comment
        FROM range(0, 25) AS t(i)""",
    "supplier": """
        SELECT i AS s_suppkey, 'Supplier#' || lpad(CAST(i AS VARCHAR), 9, '0') AS s_name, 'Street ' || r(i, 8, 10000) AS
            s_address, r(i, 1, 25) AS s_nationkey, phone(i, r(i, 1, 25)) AS s_phone, money(r(i, 9, 1100000) - 100000) AS
            s_acctbal, remark(i + 1000) AS s_comment
        FROM range(1, {suppliers} + 1) AS t(i)""",
    "customer": f"""
        SELECT i AS c_custkey, 'Customer#' || lpad(CAST(i AS VARCHAR), 9, '0') AS c_name, 'Street ' || r(i, 10, 10000) AS
            c_address, r(i, 11, 25) AS c_nationkey, phone(i, r(i, 11, 25)) AS c_phone, money(r(i, 12, 1100000) - 100000) AS
            c_acctbal, {SEGMENTS}[r(i, 13, 5) + 1] AS c_mktsegment, remark(i + 2000) AS c_comment
        FROM range(1, {{customers}} + 1) AS t(i)""",
    "part": f"""
        SELECT i AS p_partkey, color(i, 14) || ' ' || color(i, 15) || ' ' || color(i, 16) AS p_name,
            'Manufacturer#' || (r(i, 17, 5) + 1) AS p_mfgr, 'Brand#' || (r(i, 17, 5) + 1) || (r(i, 18, 5) + 1) AS p_brand,
            {SYLLABLES[0]}[r(i, 19, 6) + 1] || ' ' || {SYLLABLES[1]}[r(i, 20, 5) + 1] || ' ' ||
            {SYLLABLES[2]}[r(i, 21, 5) + 1] AS p_type, r(i, 22, 50) + 1 AS p_size,
            {CONTAINERS[0]}[r(i, 24, 5) + 1] || ' ' || {CONTAINERS[1]}[r(i, 25, 8) + 1] AS p_container,
            money(price(i)) AS p_retailprice, remark(i + 3000) AS p_comment
        FROM range(1, {{parts}} + 1) AS t(i)""",
    "partsupp": """
        SELECT i // 4 + 1 AS ps_partkey, supplier_of(i // 4 + 1, i % 4, {suppliers}) AS ps_suppkey,
            r(i, 26, 9999) + 1 AS ps_availqty, money(r(i, 27, 99900) + 100) AS ps_supplycost, remark(i + 4000) AS ps_comment
        FROM range(0, 4 * {parts}) AS t(i)""",
    "orders": f"""
        SELECT order_key(i) AS o_orderkey, r(i, 28, {{customers}} // 3) * 3 + 1 + r(i, 29, 2) AS o_custkey,
            CASE WHEN order_day(i) < DATE '1995-03-01' THEN 'F' WHEN order_day(i) > DATE '1995-06-17' THEN 'O' ELSE 'P' END AS
            o_orderstatus, money(r(i, 30, 40000000) + 90000) AS o_totalprice, order_day(i) AS o_orderdate,
            {PRIORITIES}[r(i, 31, 5) + 1] AS o_orderpriority, 'Clerk#' || r(i, 32, 1000) AS o_clerk,
            CAST(0 AS BIGINT) AS o_shippriority, remark(i + 5000) AS o_comment
        FROM range(0, {{orders}}) AS t(i)""",
    "lineitem": f"""
        SELECT order_key(o) AS l_orderkey, p AS l_partkey, supplier_of(p, r(i, 33, 4), {{suppliers}}) AS l_suppkey,
            l_linenumber, CAST(quantity AS DECIMAL(15, 2)) AS l_quantity, money(quantity * price(p)) AS l_extendedprice,
            money(r(i, 34, 11)) AS l_discount, money(r(i, 35, 9)) AS l_tax,
            CASE WHEN received > DATE '1995-06-17' THEN 'N' WHEN r(i, 36, 2) = 0 THEN 'R' ELSE 'A' END AS l_returnflag,
            CASE WHEN shipped > DATE '1995-06-17' THEN 'O' ELSE 'F' END AS l_linestatus, shipped AS l_shipdate,
            order_day(o) + CAST(30 + r(i, 37, 61) AS INTEGER) AS l_commitdate, received AS l_receiptdate,
            {INSTRUCTIONS}[r(i, 38, 4) + 1] AS l_shipinstruct, {MODES}[r(i, 39, 7) + 1] AS l_shipmode,
            remark(i + 6000) AS l_comment
        FROM (SELECT *, shipped + CAST(1 + r(i, 44, 30) AS INTEGER) AS received FROM (
            SELECT *, order_day(o) + CAST(1 + r(i, 45, 121) AS INTEGER) AS shipped FROM (
                SELECT i, i // 28 * 7 + {LINES}[i % 28 + 1] - 1 AS o, {LINE_NUMBERS}[i % 28 + 1] AS l_linenumber,
                    r(i, 46, 50) + 1 AS quantity, r(i, 47, {{parts}}) + 1 AS p
                FROM range(0, {{rows}}) AS t(i))))""",
}

REVENUE = "sum(l_extendedprice * (1 - l_discount))"
OF_REGION = "JOIN nation ON s_nationkey = n_nationkey JOIN region ON n_regionkey = r_regionkey WHERE r_name = '{region}'"

# Queries by the numbers of TPC-H.
QUERIES = {
    "Q1": "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)), "
          "sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*) "
          "FROM lineitem WHERE l_shipdate <= DATE '{late_day}' GROUP BY l_returnflag, l_linestatus "
          "ORDER BY l_returnflag, l_linestatus",
    "Q2": "SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment FROM partsupp "
          "JOIN part ON ps_partkey = p_partkey JOIN supplier ON ps_suppkey = s_suppkey JOIN nation ON s_nationkey = n_nationkey "
          "JOIN region ON n_regionkey = r_regionkey JOIN (SELECT ps_partkey AS m_partkey, min(ps_supplycost) AS m_cost "
          f"FROM partsupp JOIN supplier ON ps_suppkey = s_suppkey {OF_REGION} GROUP BY ps_partkey) AS m "
          "ON ps_partkey = m_partkey AND ps_supplycost = m_cost WHERE p_size = {size} AND p_type LIKE '%{metal}' "
          "AND r_name = '{region}' ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100",
    "Q3": f"SELECT l_orderkey, {REVENUE} AS revenue, o_orderdate, o_shippriority FROM customer, orders, lineitem "
          "WHERE c_mktsegment = '{segment}' AND c_custkey = o_custkey AND l_orderkey = o_orderkey AND "
          "o_orderdate < DATE '{march}' AND l_shipdate > DATE '{march}' GROUP BY l_orderkey, o_orderdate, o_shippriority "
          "ORDER BY revenue DESC, o_orderdate, l_orderkey LIMIT 10",
    "Q4": "SELECT o_orderpriority, count(*) AS order_count FROM orders WHERE o_orderdate >= DATE '{quarter}' AND "
          "o_orderdate < DATE '{next_quarter}' AND o_orderkey IN (SELECT l_orderkey FROM lineitem "
          "WHERE l_commitdate < l_receiptdate) GROUP BY o_orderpriority ORDER BY o_orderpriority",
    "Q5": f"SELECT n_name, {REVENUE} AS revenue FROM customer, orders, lineitem, supplier, nation, region "
          "WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey "
          "AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = '{region}' AND "
          "o_orderdate >= DATE '{year}-01-01' AND o_orderdate < DATE '{next_year}-01-01' GROUP BY n_name ORDER BY revenue DESC",
    "Q6": "SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate >= DATE '{year}-01-01' AND "
          "l_shipdate < DATE '{next_year}-01-01' AND l_discount BETWEEN {discount} - 0.01 AND {discount} + 0.01 AND l_quantity < 24",
    "Q7": f"SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, year(l_shipdate) AS l_year, {REVENUE} AS revenue "
          "FROM supplier, lineitem, orders, customer, nation AS n1, nation AS n2 WHERE s_suppkey = l_suppkey AND "
          "o_orderkey = l_orderkey AND c_custkey = o_custkey AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey AND "
          "((n1.n_name = '{nation}' AND n2.n_name = '{other}') OR (n1.n_name = '{other}' AND n2.n_name = '{nation}')) AND "
          "l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31' GROUP BY supp_nation, cust_nation, l_year "
          "ORDER BY supp_nation, cust_nation, l_year",
    "Q8": "SELECT year(o_orderdate) AS o_year, sum(CASE WHEN n2.n_name = '{nation}' THEN l_extendedprice * (1 - l_discount) "
          f"ELSE 0 END) / {REVENUE} AS mkt_share FROM part, supplier, lineitem, orders, customer, nation AS n1, nation AS n2, "
          "region WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey AND "
          "c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = '{region}' AND s_nationkey = n2.n_nationkey "
          "AND o_orderdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31' AND p_type = '{type}' GROUP BY o_year ORDER BY o_year",
    "Q9": "SELECT n_name, year(o_orderdate) AS o_year, sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity) AS "
          "sum_profit FROM part, supplier, lineitem, partsupp, orders, nation WHERE s_suppkey = l_suppkey AND "
          "ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey AND o_orderkey = l_orderkey AND "
          "s_nationkey = n_nationkey AND p_name LIKE '%{color}%' GROUP BY n_name, o_year ORDER BY n_name, o_year DESC",
    "Q10": f"SELECT c_custkey, c_name, {REVENUE} AS revenue, c_acctbal, n_name, c_address, c_phone, c_comment "
           "FROM customer, orders, lineitem, nation WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND "
           "o_orderdate >= DATE '{quarter}' AND o_orderdate < DATE '{next_quarter}' AND l_returnflag = 'R' AND "
           "c_nationkey = n_nationkey GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment "
           "ORDER BY revenue DESC, c_custkey LIMIT 20",
    "Q11": "SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS val FROM partsupp, supplier, nation "
           "WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = '{nation}' GROUP BY ps_partkey "
           "HAVING sum(ps_supplycost * ps_availqty) > (SELECT sum(ps_supplycost * ps_availqty) * 0.001 FROM partsupp, supplier, "
           "nation WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = '{nation}') ORDER BY val DESC, ps_partkey",
    "Q12": "SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS "
           "high_line_count, sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS "
           "low_line_count FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('{mode}', 'SHIP') AND "
           "l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= DATE '{year}-01-01' AND "
           "l_receiptdate < DATE '{next_year}-01-01' GROUP BY l_shipmode ORDER BY l_shipmode",
    "Q13": "SELECT c_count, count(*) AS custdist FROM (SELECT c_custkey, count(o_orderkey) AS c_count FROM customer "
           "LEFT JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%{word}%requests%' GROUP BY c_custkey) AS c_orders "
           "GROUP BY c_count ORDER BY custdist DESC, c_count DESC",
    "Q14": "SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END) / "
           f"{REVENUE} AS promo_revenue FROM lineitem, part WHERE l_partkey = p_partkey AND l_shipdate >= DATE '{{month}}' AND "
           "l_shipdate < DATE '{next_month}'",
    "Q15": f"WITH revenue AS (SELECT l_suppkey AS supplier_no, {REVENUE} AS total_revenue FROM lineitem "
           "WHERE l_shipdate >= DATE '{quarter}' AND l_shipdate < DATE '{next_quarter}' GROUP BY l_suppkey) "
           "SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, revenue WHERE s_suppkey = supplier_no AND "
           "total_revenue = (SELECT max(total_revenue) FROM revenue) ORDER BY s_suppkey",
    "Q16": "SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt FROM partsupp, part "
           "WHERE p_partkey = ps_partkey AND p_brand <> '{brand}' AND p_type NOT LIKE '{finish}%' AND "
           "p_size IN (49, 14, 23, 45, 19, 3, 36, 9) AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier "
           "WHERE s_comment LIKE '%Customer%Complaints%') GROUP BY p_brand, p_type, p_size "
           "ORDER BY supplier_cnt DESC, p_brand, p_type, p_size",
    "Q17": "SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem JOIN part ON p_partkey = l_partkey JOIN (SELECT l_partkey "
           "AS a_partkey, avg(l_quantity) AS a_quantity FROM lineitem GROUP BY l_partkey) AS a ON a_partkey = l_partkey "
           "WHERE p_brand = '{brand}' AND p_container = '{container}' AND l_quantity < 0.2 * a_quantity",
    "Q18": "SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) FROM customer, orders, lineitem "
           "WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > {quantity}) AND "
           "c_custkey = o_custkey AND o_orderkey = l_orderkey GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice "
           "ORDER BY o_totalprice DESC, o_orderdate, o_orderkey LIMIT 100",
    "Q19": f"SELECT {REVENUE} AS revenue FROM lineitem JOIN part ON p_partkey = l_partkey WHERE l_shipmode IN ('AIR', 'REG AIR') AND "
           "l_shipinstruct = 'DELIVER IN PERSON' AND ((p_brand = '{brand}' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', "
           "'SM PKG') AND l_quantity BETWEEN 1 AND 11 AND p_size BETWEEN 1 AND 5) OR (p_brand = 'Brand#23' AND p_container IN "
           "('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') AND l_quantity BETWEEN 10 AND 20 AND p_size BETWEEN 1 AND 10) OR "
           "(p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') AND l_quantity BETWEEN 20 AND 30 "
           "AND p_size BETWEEN 1 AND 15))",
    "Q20": "SELECT s_name, s_address FROM supplier JOIN nation ON s_nationkey = n_nationkey WHERE n_name = '{nation}' AND "
           "s_suppkey IN (SELECT ps_suppkey FROM partsupp JOIN part ON ps_partkey = p_partkey JOIN (SELECT l_partkey, l_suppkey, "
           "0.5 * sum(l_quantity) AS half FROM lineitem WHERE l_shipdate >= DATE '{year}-01-01' AND l_shipdate < "
           "DATE '{next_year}-01-01' GROUP BY l_partkey, l_suppkey) AS sold ON ps_partkey = l_partkey AND ps_suppkey = l_suppkey "
           "WHERE p_name LIKE '{color}%' AND ps_availqty > half) ORDER BY s_name",
    "Q21": "SELECT s_name, count(*) AS numwait FROM lineitem JOIN supplier ON s_suppkey = l_suppkey JOIN nation ON s_nationkey = "
           "n_nationkey JOIN orders ON o_orderkey = l_orderkey JOIN (SELECT l_orderkey AS w_orderkey, count(DISTINCT l_suppkey) AS "
           "n_all, count(DISTINCT CASE WHEN l_receiptdate > l_commitdate THEN l_suppkey END) AS n_late FROM lineitem "
           "GROUP BY l_orderkey) AS w ON w_orderkey = l_orderkey WHERE n_name = '{nation}' AND o_orderstatus = 'F' AND "
           "l_receiptdate > l_commitdate AND n_all > 1 AND n_late = 1 GROUP BY s_name ORDER BY numwait DESC, s_name LIMIT 100",
    "Q22": "SELECT substring(c_phone, 1, 2) AS cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal FROM customer "
           "WHERE substring(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17') AND c_acctbal > (SELECT avg(c_acctbal) "
           "FROM customer WHERE c_acctbal > 0.00 AND substring(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')) AND "
           "c_custkey NOT IN (SELECT o_custkey FROM orders) GROUP BY cntrycode ORDER BY cntrycode",
}


def _month(months):
    """First day of a month of 1993 or later."""
    return datetime.date(1993 + months // 12, months % 12 + 1, 1)


def _constants(variant):
    nation = 7 * variant % 25
    year, month = 1993 + variant % 5, variant % 50
    return {"late_day": datetime.date(1998, 12, 1) - datetime.timedelta(60 + variant % 60), "size": variant % 50 + 1,
            "metal": SYLLABLES[2][variant % 5], "finish": " ".join((SYLLABLES[0][variant % 6], SYLLABLES[1][variant % 5])),
            "type": " ".join(syllables[variant % 5] for syllables in SYLLABLES), "region": REGIONS[nation // 5],
            "nation": NATIONS[nation], "other": NATIONS[(nation + 11) % 25], "segment": SEGMENTS[variant % 5],
            "march": datetime.date(1995, 3, variant % 31 + 1), "year": year, "next_year": year + 1,
            "month": _month(month), "next_month": _month(month + 1), "quarter": _month(month), "next_quarter": _month(month + 3),
            "discount": f"0.0{variant % 8 + 2}", "color": COLORS[variant % 20], "word": WORDS[2 + variant % 3],
            "mode": MODES[variant % 3], "brand": f"Brand#{variant % 5 + 1}{variant // 5 % 5 + 1}",
            "container": f"{CONTAINERS[0][variant % 5]} {CONTAINERS[1][variant % 8]}", "quantity": 270 + variant % 10}


class TpchWork:
    """What a comparison must know of it. The mean is that of all queries."""
    peers = ["duckdb"]
    schemas = os.path.join(TOP, "bench/tpch")
    ordered = set(QUERIES) - {"Q5"}
    constant = {"Q22"}
    counted = list(QUERIES)

    @staticmethod
    def generate(place, rows, _endings, options):
        """{table: Parquet file}."""
        scale = rows / SCALE_ROWS
        sizes = {"rows": rows, "orders": (rows + 27) // 28 * 7, "customers": max(300, round(150000 * scale)),
                 "suppliers": max(100, round(10000 * scale)), "parts": max(400, round(200000 * scale))}
        return write_tables(place, rows, MACROS, TABLES, sizes, options.threads)

    @staticmethod
    def statements(_rows, options):
        """{query: [statement of each variant]}, in order."""
        names = list(QUERIES) if options.queries == "all" else options.queries.split(",")
        return {name: [QUERIES[name].format(**_constants(variant)) for variant in range(4 * options.runs + 4)]
                for name in names}

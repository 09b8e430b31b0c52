"""
The work `ssb`, the Star Schema Benchmark: five tables, thirteen joins along relations. Rows are made by DuckDB, with the
distributions of the definition; ROWS is the number of rows of `lineorder`, 6,000,000 for each unit of scale.
"""

import math
import os

from duckdb_tables import write_tables
from engine import TOP

REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = ["ALGERIA", "ETHIOPIA", "KENYA", "MOROCCO", "MOZAMBIQUE", "ARGENTINA", "BRAZIL", "CANADA", "PERU",
           "UNITED STATES", "INDIA", "INDONESIA", "JAPAN", "CHINA", "VIETNAM", "FRANCE", "GERMANY", "ROMANIA", "RUSSIA",
           "UNITED KINGDOM", "EGYPT", "IRAN", "IRAQ", "JORDAN", "SAUDI ARABIA"]
SCALE_ROWS = 6000000

MACROS = f"""
CREATE MACRO r(i, k, n) AS CAST(hash(i * 64 + k) % CAST(n AS UBIGINT) AS BIGINT);
CREATE MACRO nation(i) AS {NATIONS}[r(i, 1, 25) + 1];
CREATE MACRO region(i) AS {REGIONS}[r(i, 1, 25) // 5 + 1];
CREATE MACRO city(i) AS rpad(left(nation(i), 9), 9, ' ') || r(i, 2, 10);
CREATE MACRO phone(i) AS (10 + r(i, 1, 25)) || '-' || r(i, 3, 1000) || '-' || r(i, 4, 1000) || '-' || r(i, 5, 10000);
CREATE MACRO day_key(d) AS CAST(year(d) * 10000 + month(d) * 100 + day(d) AS BIGINT)
"""

# {scale} is taken at run time; CAST keeps the columns to the types of the schemas.
TABLES = {
    "dates": """
        SELECT day_key(d) AS d_datekey, strftime(d, '%B %-d, %Y') AS d_date, dayname(d) AS d_dayofweek,
            monthname(d) AS d_month, year(d) AS d_year, year(d) * 100 + month(d) AS d_yearmonthnum,
            left(monthname(d), 3) || year(d) AS d_yearmonth, isodow(d) AS d_daynuminweek, day(d) AS d_daynuminmonth,
            dayofyear(d) AS d_daynuminyear, month(d) AS d_monthnuminyear, (dayofyear(d) - 1) // 7 + 1 AS d_weeknuminyear
        FROM range(DATE '1992-01-01', DATE '1999-01-01', INTERVAL 1 DAY) AS days(d)""",
    "customer": """
        SELECT i AS c_custkey, 'Customer#' || lpad(CAST(i AS VARCHAR), 9, '0') AS c_name, 'Street ' || r(i, 6, 10000) AS
            c_address, city(i) AS c_city, nation(i) AS c_nation, region(i) AS c_region, phone(i) AS c_phone,
            ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'][r(i, 7, 5) + 1] AS c_mktsegment
        FROM range(1, {customers} + 1) AS t(i)""",
    "supplier": """
        SELECT i AS s_suppkey, 'Supplier#' || lpad(CAST(i AS VARCHAR), 9, '0') AS s_name, 'Street ' || r(i, 8, 10000) AS
            s_address, city(i + 1000000000) AS s_city, nation(i + 1000000000) AS s_nation,
            region(i + 1000000000) AS s_region, phone(i + 1000000000) AS s_phone
        FROM range(1, {suppliers} + 1) AS t(i)""",
    "part": """
        SELECT i AS p_partkey, 'part ' || r(i, 10, 92) || ' ' || r(i, 11, 92) AS p_name,
            'MFGR#' || (r(i, 12, 5) + 1) AS p_mfgr, 'MFGR#' || (r(i, 12, 5) + 1) || (r(i, 13, 5) + 1) AS p_category,
            'MFGR#' || (r(i, 12, 5) + 1) || (r(i, 13, 5) + 1) || (r(i, 14, 40) + 1) AS p_brand1,
            'color ' || r(i, 10, 92) AS p_color, 'type ' || r(i, 15, 150) AS p_type, r(i, 16, 50) + 1 AS p_size,
            'container ' || r(i, 17, 40) AS p_container
        FROM range(1, {parts} + 1) AS t(i)""",
    "lineorder": """
        SELECT i // 4 + 1 AS lo_orderkey, i % 4 + 1 AS lo_linenumber, r(i // 4, 20, {customers}) + 1 AS lo_custkey,
            r(i, 21, {parts}) + 1 AS lo_partkey, r(i, 22, {suppliers}) + 1 AS lo_suppkey,
            day_key(DATE '1992-01-01' + CAST(r(i // 4, 23, 2406) AS INTEGER)) AS lo_orderdate,
            ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECI', '5-LOW'][r(i // 4, 24, 5) + 1] AS lo_orderpriority,
            CAST(0 AS BIGINT) AS lo_shippriority, quantity AS lo_quantity, price AS lo_extendedprice,
            price * 4 AS lo_ordtotalprice, discount AS lo_discount, price * (100 - discount) // 100 AS lo_revenue,
            price * 6 // (10 * quantity) AS lo_supplycost, r(i, 27, 9) AS lo_tax,
            day_key(DATE '1992-01-01' + CAST(r(i // 4, 23, 2406) + 30 + r(i, 28, 61) AS INTEGER)) AS lo_commitdate,
            ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'][r(i, 29, 7) + 1] AS lo_shipmode
        FROM (SELECT i, r(i, 25, 50) + 1 AS quantity, r(i, 26, 11) AS discount,
            (r(i, 25, 50) + 1) * (90000 + r(i, 30, 100000)) // 100 AS price FROM range(0, {rows}) AS t(i))""",
}

JOINS = {
    "dates": "lo_orderdate = d_datekey",
    "customer": "lo_custkey = c_custkey",
    "supplier": "lo_suppkey = s_suppkey",
    "part": "lo_partkey = p_partkey",
}

# Tables beside lineorder, what is selected, conditions, the rest.
QUERIES = {
    "Q1.1": ("dates", "sum(lo_extendedprice * lo_discount) AS revenue",
             "d_year = {year} AND lo_discount BETWEEN 1 AND 3 AND lo_quantity < 25", ""),
    "Q1.2": ("dates", "sum(lo_extendedprice * lo_discount) AS revenue",
             "d_yearmonthnum = {year}01 AND lo_discount BETWEEN 4 AND 6 AND lo_quantity BETWEEN 26 AND 35", ""),
    "Q1.3": ("dates", "sum(lo_extendedprice * lo_discount) AS revenue", "d_weeknuminyear = {week} AND d_year = {year} "
             "AND lo_discount BETWEEN 5 AND 7 AND lo_quantity BETWEEN 26 AND 35", ""),
    "Q2.1": ("dates part supplier", "sum(lo_revenue), d_year, p_brand1", "p_category = '{category}' AND s_region = '{region}'",
             "GROUP BY d_year, p_brand1 ORDER BY d_year, p_brand1"),
    "Q2.2": ("dates part supplier", "sum(lo_revenue), d_year, p_brand1", "p_brand1 BETWEEN '{category}21' AND '{category}28' "
             "AND s_region = '{region}'", "GROUP BY d_year, p_brand1 ORDER BY d_year, p_brand1"),
    "Q2.3": ("dates part supplier", "sum(lo_revenue), d_year, p_brand1", "p_brand1 = '{category}21' AND s_region = '{region}'",
             "GROUP BY d_year, p_brand1 ORDER BY d_year, p_brand1"),
    "Q3.1": ("customer supplier dates", "c_nation, s_nation, d_year, sum(lo_revenue) AS revenue",
             "c_region = '{region}' AND s_region = '{region}' AND d_year >= 1992 AND d_year <= 1997",
             "GROUP BY c_nation, s_nation, d_year ORDER BY d_year ASC, revenue DESC"),
    "Q3.2": ("customer supplier dates", "c_city, s_city, d_year, sum(lo_revenue) AS revenue",
             "c_nation = '{nation}' AND s_nation = '{nation}' AND d_year >= 1992 AND d_year <= 1997",
             "GROUP BY c_city, s_city, d_year ORDER BY d_year ASC, revenue DESC"),
    "Q3.3": ("customer supplier dates", "c_city, s_city, d_year, sum(lo_revenue) AS revenue",
             "(c_city = '{city}1' OR c_city = '{city}5') AND (s_city = '{city}1' OR s_city = '{city}5') AND "
             "d_year >= 1992 AND d_year <= 1997", "GROUP BY c_city, s_city, d_year ORDER BY d_year ASC, revenue DESC"),
    "Q3.4": ("customer supplier dates", "c_city, s_city, d_year, sum(lo_revenue) AS revenue",
             "(c_city = '{city}1' OR c_city = '{city}5') AND (s_city = '{city}1' OR s_city = '{city}5') AND "
             "d_yearmonth = 'Dec{year}'", "GROUP BY c_city, s_city, d_year ORDER BY d_year ASC, revenue DESC"),
    "Q4.1": ("dates customer supplier part", "d_year, c_nation, sum(lo_revenue - lo_supplycost) AS profit",
             "c_region = '{region}' AND s_region = '{region}' AND (p_mfgr = 'MFGR#1' OR p_mfgr = 'MFGR#2')",
             "GROUP BY d_year, c_nation ORDER BY d_year, c_nation"),
    "Q4.2": ("dates customer supplier part", "d_year, s_nation, p_category, sum(lo_revenue - lo_supplycost) AS profit",
             "c_region = '{region}' AND s_region = '{region}' AND (d_year = {year} OR d_year = {year} + 1) AND "
             "(p_mfgr = 'MFGR#1' OR p_mfgr = 'MFGR#2')",
             "GROUP BY d_year, s_nation, p_category ORDER BY d_year, s_nation, p_category"),
    "Q4.3": ("dates customer supplier part", "d_year, s_city, p_brand1, sum(lo_revenue - lo_supplycost) AS profit",
             "c_region = '{region}' AND s_nation = '{nation}' AND (d_year = {year} OR d_year = {year} + 1) AND "
             "p_category = '{category}'", "GROUP BY d_year, s_city, p_brand1 ORDER BY d_year, s_city, p_brand1"),
}


def _constants(variant):
    nation = NATIONS[(9 + 7 * variant) % 25]
    return {"year": 1993 + variant % 5, "week": 6 + variant % 40, "nation": nation,
            "region": REGIONS[(9 + 7 * variant) % 25 // 5], "city": f"{nation[:9]:9}",
            "category": f"MFGR#{variant % 5 + 1}{(variant // 5 + 1) % 5 + 1}"}


class SsbWork:
    """What a comparison must know of it. The mean is that of all queries."""
    peers = ["duckdb"]
    schemas = os.path.join(TOP, "conf/ssb")
    ordered = set(QUERIES)
    constant = set()
    counted = list(QUERIES)

    @staticmethod
    def generate(place, rows, _endings, options):
        """{table: Parquet file}."""
        scale = rows / SCALE_ROWS
        sizes = {"rows": rows, "customers": max(100, round(30000 * scale)), "suppliers": max(100, round(2000 * scale)),
                 "parts": max(1000, round(200000 * (1 + math.floor(math.log2(scale)) if scale >= 1 else scale)))}
        return write_tables(place, rows, MACROS, TABLES, sizes, options.threads)

    @staticmethod
    def statements(_rows, options):
        """{query: [statement of each variant]}, in order."""
        names = list(QUERIES) if options.queries == "all" else options.queries.split(",")
        out = {}
        for name in names:
            tables, what, conditions, rest = QUERIES[name]
            joins = " AND ".join(JOINS[table] for table in tables.split())
            text = f"SELECT {what} FROM lineorder, {', '.join(tables.split())} WHERE {joins} AND {conditions} {rest}".strip()
            out[name] = [text.format(**_constants(variant)) for variant in range(4 * options.runs + 4)]
        return out

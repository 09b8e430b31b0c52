/*
 * MySQL's grammar, LALR(1) without conflicts.
 *
 * The levels expr, bool_pri, predicate, bit_expr and simple_expr are those of MySQL's own grammar:
 * they decide which operand may stand where ("a IS NULL = b"), precedences the rest. One
 * file, although long, because bison takes one.
 */
%define api.pure full
%define api.prefix {sql_yy}
%define api.token.prefix {SQL_T_}
%define api.location.type {struct sql_span}
%define api.value.type {union sql_value}
%locations
%param {struct sql_parser *p}
%expect 0

%code requires {
#include "sql/parse_internal.h"
}

%code {
#include "sql/build_expr.h"
#include "sql/build_query.h"
#include "sql/build_stmt.h"

/* The stack stays on the C stack, which also bounds right recursion: no allocation, no leak when a
 * builder leaves the parse. */
#define YYINITDEPTH 3000
#define YYMAXDEPTH 3000

#define YYLLOC_DEFAULT(Current, Rhs, N) \
    do { \
        if (N) { \
            (Current).begin = YYRHSLOC(Rhs, 1).begin; \
            (Current).end = YYRHSLOC(Rhs, N).end; \
        } else { \
            (Current).begin = (Current).end = YYRHSLOC(Rhs, 0).end; \
        } \
    } while (0)

#define NEW(type) ((struct type *)sql_parser_alloc(p, sizeof(struct type)))
#define NAME(token) sql_build_name(p, token)
#define PAIR(a, b) sql_build_pair(p, a, ' ', b)
#define STMT(kind, node) sql_build_stmt(p, SQL_STMT_##kind, node)
#define ADD(list, node) sql_list_add(list, node)
#define FIRST(node) sql_list_add((struct sql_list){NULL, NULL, 0, false}, node)
#define NONE ((struct sql_list){NULL, NULL, 0, false})
#define BINARY(op, left, right, span) \
    sql_build_operands(p, SQL_EXPR_BINARY, SQL_OP_##op, 0, span, 2, left, right)
#define UNARY(op, arg, span) \
    sql_build_operands(p, SQL_EXPR_UNARY, SQL_OP_##op, 0, span, 1, arg)
#define IS(arg, what, flags, span) sql_build_operands(p, SQL_EXPR_IS, what, flags, span, 1, arg)
#define TRIM(mode, arg, remove, span) sql_build_trim(p, mode, arg, remove, span)
#define BOUND(kind, expr) ((struct sql_bound){SQL_BOUND_##kind, expr})
#define ALTER_NODE(kind) sql_build_alter(p, SQL_ALTER_##kind)
#define SHOW_NODE(kind, filter) sql_build_show(p, SQL_SHOW_##kind, filter)
#define SAVEPOINT_STMT(kind, name) sql_build_savepoint(p, SQL_STMT_##kind, name)
#define PREPARE_STMT(kind, name, text, vars) \
    sql_build_prepare(p, SQL_STMT_##kind, name, text, vars)

static int sql_yylex(union sql_value *value, struct sql_span *span, struct sql_parser *p)
{
    return sql_parser_lex(value, span, p);
}

static void sql_yyerror(struct sql_span *span, struct sql_parser *p, const char *message)
{
    bool is_deep = message[0] == 'm'; /* "memory exhausted": the stack's limit */
    sql_parser_fail(p, is_deep ? SQL_PARSE_TOO_DEEP : SQL_PARSE_SYNTAX, span->begin);
}
}

/* No rule takes INVALID, so it is always a syntax error at its place. */
%token START_STMT START_EXPR INVALID
%token <text> IDENT QUOTED_IDENT STRING NATIONAL_STRING BYTES DECIMAL FLOAT USER_VAR SYS_VAR
%token <number> INTEGER PARAM
/* A literal that is a whole value of an INSERT's row. */
%token <expr> ROW_VALUE
%token NULL_EQ LE GE NE SHL SHR ASSIGN ARROW LONG_ARROW CONCAT

/* Reserved words. */
%token <text> ADD ALL ALTER ANALYZE AND AS ASC BETWEEN BINARY BOTH BY CALL CASCADE CASE CHANGE
%token <text> CHAR CHARACTER CHECK COLLATE COLUMN CONSTRAINT CONVERT CREATE CROSS CURRENT_DATE
%token <text> CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DATABASES DEFAULT DELAYED
%token <text> DELETE DESC DESCRIBE DISTINCT DIV DOUBLE DROP DUAL ELSE ENCLOSED ESCAPED EXCEPT
%token <text> EXISTS EXPLAIN FALSE FOR FORCE FOREIGN FROM FULLTEXT GENERATED GROUP HAVING
%token <text> HIGH_PRIORITY IF IGNORE IN INDEX INFILE INNER INSERT INTERSECT INTERVAL INTO IS JOIN KEY
%token <text> KEYS KILL LEADING LEFT LIKE LIMIT LINES LOAD LOCALTIME LOCALTIMESTAMP LOCK LOW_PRIORITY
%token <text> MATCH MOD NATURAL NOT NULL ON OPTIMIZE OPTIONALLY OR ORDER OUTER OUTFILE OVER
%token <text> PARTITION PRECISION PRIMARY PROCEDURE RANGE READ RECURSIVE REFERENCES REGEXP RELEASE
%token <text> RENAME REPEAT REPLACE RESTRICT RIGHT ROWS SELECT SEPARATOR SET SHOW SQL_BIG_RESULT
%token <text> SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT STARTING STRAIGHT_JOIN TABLE TERMINATED THEN TO
%token <text> TRAILING TRIGGER TRUE TYPE_NAME UNION UNIQUE UNLOCK UNSIGNED UPDATE USE USING
%token <text> UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES VARYING WHEN WHERE WINDOW WITH WRITE XOR
%token <text> ZEROFILL

/* Words that are also names; sql_parser_lex() gives most of them only where they have their
 * meaning, and IDENT elsewhere. */
%token <text> AFTER AGAINST ALWAYS ANY ARCHIVE AUTO_INCREMENT BEGIN CAST CHAIN CHARSET COLLATION COLUMNS
%token <text> COMMENT COMMIT COMMITTED CONNECTION CONSISTENT CURRENT DATE DEALLOCATE DISABLE DO
%token <text> DUMPFILE DUPLICATE ENABLE END ENGINE ERRORS ESCAPE EXECUTE EXTENDED EXTRACT FILTER
%token <text> FIRST FLUSH FOLLOWING FORMAT FULL GLOBAL GRANTS INDEXES ISOLATION LEVEL LOCAL MODE
%token <text> MODIFY NAMES NO OFFSET ONLY OPEN PARTITIONS PASSWORD PERSIST POSITION PRECEDING
%token <text> PREPARE PROCESSLIST QUERY REPEATABLE RESTORE ROLLBACK ROLLUP SAVEPOINT SERIALIZABLE SESSION
%token <text> SHARE SIGNED SNAPSHOT SOME SOUNDS START STATUS STORED
%token <text> SUBSTRING TABLES TEMPORARY TIME TIMESTAMP TRANSACTION TRIM TRUNCATE UNBOUNDED
%token <text> UNCOMMITTED UNKNOWN VALUE VARIABLES VIEW VIRTUAL WARNINGS WITHIN WORK

/* Words between SELECT and its columns that change nothing here; names elsewhere. */
%token <text> SELECT_HINT

/* INTERVAL before a list in parentheses: the function. */
%token <text> INTERVAL_CALL

/* Two words that one word of lookahead cannot tell apart; joined by sql_parser_lex(). */
%token WITH_ROLLUP SOUNDS_LIKE

/* What decides where nothing else does: INTO belongs to the SELECT it follows, KEY to the
 * UNIQUE before it, a condition to the last join before it. */
%precedence NO_CLAUSE
%precedence INTO AGAINST
%precedence UNIQUE
%precedence KEY
%precedence NO_CONDITION
%precedence JOIN INNER CROSS STRAIGHT_JOIN NATURAL LEFT RIGHT OUTER ON USING
%precedence ASSIGN
%left OR
%left XOR
%left AND
%precedence NOT
%precedence BETWEEN
%precedence '=' NULL_EQ GE '>' LE '<' NE IS LIKE REGEXP IN SOUNDS_LIKE
%precedence ESCAPE
%left '|'
%left '&'
%left SHL SHR
%left '+' '-'
%left '*' '/' '%' DIV MOD
%left '^'
%left CONCAT
%precedence NEGATE '~' '!'
%precedence COLLATE
%precedence AS_QUERY
%left UNION EXCEPT
%left INTERSECT
%precedence ')'

%type <name> ident label opt_alias table_alias opt_ident charset_name collation_name call_name
%type <name> constraint_opt reference_action option_key alter_key set_name collate_opt isolation
%type <name> show_db user_name
%type <text> word date_word show_object flush_word
%type <name> show_words flush_words
%type <expr> literal text_literal signed_literal expr bool_pri predicate bit_expr simple_expr
%type <expr> column_ref function_call call_head special_call date_keyword interval operand_opt
%type <expr> else_opt call_arg separator_opt filter_opt bound_value option_value where_opt
%type <expr> having_opt limit_value value_slot expr_or_default default_value set_value set_charset
%type <expr> prepare_source
%type <list> table_name_list name_list when_list expr_list call_arg_list partition_opt
%type <list> window_clause window_list text_list with_options with_option_list json_option_list
%type <list> cte_list select_items group_list order_opt order_clause group_opt user_var_list
%type <list> outfile_options field_options line_options insert_columns row_list values assign_list
%type <list> row_constructors alias_columns
%type <list> delete_targets view_columns reference_columns key_parts index_options table_options
%type <list> table_options_some rename_list alter_list set_list lock_list
%type <call> call_args
%type <window> window_opt window_spec frame_opt
%type <bound> bound
%type <limit> limit_opt
%type <tail> query_tail
%type <size> type_size
%type <place> column_place
%type <code> is_value comparison trim_mode frame_unit select_options join_kind outer_kind
%type <code> natural_kind match_mode direction lock_opt key_class scope scope_opt maintain_kind
%type <flag> if_exists if_not_exists all_or_any distinct_opt recursive_opt set_all insert_flags
%type <flag> update_flags temporary_opt replace_opt full_opt chain_part release_part lock_mode
%type <type> type type_base type_flags cast_type cast_base
%type <option> with_option json_option field_option line_option table_option alter_option
%type <cte> cte
%type <query> query query_body query_parens subquery create_query create_query_only
%type <select> select_core select_from
%type <item> select_item
%type <table> from_clause table_refs table_ref joined_table table_factor
%type <table_name> table_name delete_target lock_entry
%type <order> order_item
%type <into> into_opt into_clause
%type <insert> insert_head insert_body insert_rows row_alias
%type <name_entry> insert_column key_part
%type <row> row row_constructor
%type <assign> assignment
%type <create_table> table_elements
%type <column_def> column_def column_attributes
%type <reference> reference reference_actions
%type <key> table_key
%type <rename> rename_pair
%type <alter> alter_action partition_action
%type <set> set_item transaction_traits transaction_trait
%type <show> show_body show_filter
%type <explain> explain_options explain_format
%type <transaction> start_options start_option chain_opt
%type <stmt> statement select_stmt insert_stmt update_stmt delete_stmt create_stmt drop_stmt
%type <stmt> alter_stmt set_stmt show_stmt describe_stmt explainable transaction_stmt lock_stmt
%type <stmt> prepare_stmt admin_stmt load_stmt
%type <flag> load_ignore load_local
%type <code> load_priority
%type <list> load_columns load_set
%type <expr> load_skip

%%

start:
    START_STMT statement {
        if (p->rows_for_insert) {
            sql_parser_fail(p, SQL_PARSE_SYNTAX, @2.begin);
        }
        p->stmt = $2;
    }
  | START_STMT { p->stmt = STMT(EMPTY, NULL); }
  | START_EXPR expr { p->expr = $2; }
  ;

statement:
    select_stmt
  | insert_stmt
  | update_stmt
  | delete_stmt
  | create_stmt
  | drop_stmt
  | alter_stmt
  | set_stmt
  | show_stmt
  | describe_stmt
  | transaction_stmt
  | lock_stmt
  | prepare_stmt
  | admin_stmt
  | load_stmt
  ;

/* ------------------------------------------------------------------ names ---- */

/* Keywords that are names wherever a name may stand. */
word:
    IDENT
  | AFTER | AGAINST | ALWAYS | ARCHIVE | AUTO_INCREMENT | BEGIN | CHAIN | CHARSET | COLLATION | COLUMNS
  | COMMENT | COMMIT | COMMITTED | CONNECTION | CONSISTENT | DEALLOCATE | DISABLE | DO
  | DUPLICATE | ENABLE | END | ENGINE | ERRORS | EXECUTE | EXTENDED | FIRST | FLUSH
  | FOLLOWING | FORMAT | FULL | GLOBAL | GRANTS | INDEXES | ISOLATION | LEVEL | LOCAL | MODE
  | MODIFY | NAMES | NO | ONLY | OPEN | PARTITIONS | PASSWORD | PERSIST | PRECEDING | PREPARE
  | PROCESSLIST
  | QUERY | REPEATABLE | RESTORE | ROLLBACK | ROLLUP | SAVEPOINT | SERIALIZABLE | SESSION | SHARE | SIGNED
  | SNAPSHOT | START | STATUS | STORED | TABLES | TEMPORARY
  | TRANSACTION | TRUNCATE | UNCOMMITTED | VALUE | VARIABLES | VIEW | VIRTUAL | WARNINGS | WORK
  ;

ident:
    word { $$ = NAME($1); }
  | QUOTED_IDENT { $$ = NAME($1); }
  ;

/* A name or a string where either means the same. */
label:
    ident
  | STRING { $$ = NAME($1); }
  ;

opt_as:
    %empty
  | AS
  ;

opt_alias:
    %empty { $$ = NULL; }
  | opt_as label { $$ = $2; }
  ;

table_alias:
    %empty { $$ = NULL; }
  | opt_as ident { $$ = $2; }
  ;

opt_ident:
    %empty { $$ = NULL; }
  | ident
  ;

table_name:
    ident { $$ = sql_build_table_name(p, NULL, $1, @$); }
  | ident '.' ident { $$ = sql_build_table_name(p, $1, $3, @$); }
  ;

table_name_list:
    table_name { $$ = FIRST($1); }
  | table_name_list ',' table_name { $$ = ADD($1, $3); }
  ;

name_list:
    ident { $$ = FIRST(sql_build_name_entry(p, $1, @1)); }
  | name_list ',' ident { $$ = ADD($1, sql_build_name_entry(p, $3, @3)); }
  ;

column_ref:
    ident { $$ = sql_build_column(p, NULL, NULL, $1, @$); }
  | ident '.' ident { $$ = sql_build_column(p, NULL, $1, $3, @$); }
  | ident '.' ident '.' ident { $$ = sql_build_column(p, $1, $3, $5, @$); }
  | ident '.' USER_VAR {
        $$ = sql_build_column(p, NULL, $1, sql_build_at(p, $3), @$);
    }
  ;

charset_name:
    label
  | BINARY { $$ = NAME($1); }
  ;

collation_name:
    label
  | BINARY { $$ = NAME($1); }
  ;

if_exists:
    %empty { $$ = false; }
  | IF EXISTS { $$ = true; }
  ;

if_not_exists:
    %empty { $$ = false; }
  | IF NOT EXISTS { $$ = true; }
  ;

/* ------------------------------------------------------------------ literals ---- */

literal:
    text_literal
  | INTEGER { $$ = sql_build_integer(p, $1, @$); }
  | DECIMAL { $$ = sql_build_text(p, SQL_EXPR_DECIMAL, $1, @$); }
  | FLOAT { $$ = sql_build_float(p, $1, @$); }
  | BYTES { $$ = sql_build_text(p, SQL_EXPR_BYTES, $1, @$); }
  | NULL { $$ = sql_build_leaf(p, SQL_EXPR_NULL, @$); }
  | TRUE { $$ = sql_build_bool(p, true, @$); }
  | FALSE { $$ = sql_build_bool(p, false, @$); }
  | DATE STRING { $$ = sql_build_text(p, SQL_EXPR_DATE, $2, @$); }
  | TIME STRING { $$ = sql_build_text(p, SQL_EXPR_TIME, $2, @$); }
  | TIMESTAMP STRING { $$ = sql_build_text(p, SQL_EXPR_TIMESTAMP, $2, @$); }
  ;

text_literal:
    STRING { $$ = sql_build_text(p, SQL_EXPR_STRING, $1, @$); }
  | NATIONAL_STRING {
        $$ = sql_build_text(p, SQL_EXPR_STRING, $1, @$);
        $$->flags |= SQL_FLAG_NATIONAL;
    }
  ;

signed_literal:
    literal
  | '-' literal { $$ = sql_build_negate(p, $2, @$); }
  | '+' literal { $$ = $2; }
  ;

/* ------------------------------------------------------------------ expressions ---- */

expr:
    expr OR expr { $$ = sql_build_logic(p, SQL_EXPR_OR, $1, $3, @$); }
  | expr XOR expr { $$ = BINARY(XOR, $1, $3, @$); }
  | expr AND expr { $$ = sql_build_logic(p, SQL_EXPR_AND, $1, $3, @$); }
  | NOT expr { $$ = UNARY(NOT, $2, @$); }
  | bool_pri IS is_value { $$ = IS($1, $3, 0, @$); }
  | bool_pri IS NOT is_value { $$ = IS($1, $4, SQL_FLAG_NOT, @$); }
  | bool_pri %prec ASSIGN
  ;

is_value:
    TRUE { $$ = SQL_IS_TRUE; }
  | FALSE { $$ = SQL_IS_FALSE; }
  | UNKNOWN { $$ = SQL_IS_UNKNOWN; }
  ;

bool_pri:
    bool_pri IS NULL { $$ = IS($1, SQL_IS_NULL, 0, @$); }
  | bool_pri IS NOT NULL { $$ = IS($1, SQL_IS_NULL, SQL_FLAG_NOT, @$); }
  | bool_pri comparison predicate {
        $$ = sql_build_operands(p, SQL_EXPR_BINARY, $2, 0, @$, 2, $1, $3);
    }
  | bool_pri comparison all_or_any subquery {
        $$ = sql_build_compare(p, SQL_EXPR_QUANTIFIED, $2, $3 ? SQL_FLAG_ALL : 0, $1, $4, @$);
    }
  | predicate %prec ASSIGN
  ;

comparison:
    '=' { $$ = SQL_OP_EQ; }
  | NULL_EQ { $$ = SQL_OP_NULL_EQ; }
  | GE { $$ = SQL_OP_GE; }
  | '>' { $$ = SQL_OP_GT; }
  | LE { $$ = SQL_OP_LE; }
  | '<' { $$ = SQL_OP_LT; }
  | NE { $$ = SQL_OP_NE; }
  ;

all_or_any:
    ALL { $$ = true; }
  | ANY { $$ = false; }
  | SOME { $$ = false; }
  ;

predicate:
    bit_expr IN subquery {
        $$ = sql_build_compare(p, SQL_EXPR_IN_QUERY, 0, 0, $1, $3, @$);
    }
  | bit_expr NOT IN subquery {
        $$ = sql_build_compare(p, SQL_EXPR_IN_QUERY, 0, SQL_FLAG_NOT, $1, $4, @$);
    }
  | bit_expr IN '(' expr_list ')' {
        $$ = sql_build_operand_list(p, SQL_EXPR_IN, 0, $1, $4, @$);
    }
  | bit_expr NOT IN '(' expr_list ')' {
        $$ = sql_build_operand_list(p, SQL_EXPR_IN, SQL_FLAG_NOT, $1, $5, @$);
    }
  | bit_expr BETWEEN bit_expr AND predicate {
        $$ = sql_build_operands(p, SQL_EXPR_BETWEEN, 0, 0, @$, 3, $1, $3, $5);
    }
  | bit_expr NOT BETWEEN bit_expr AND predicate {
        $$ = sql_build_operands(p, SQL_EXPR_BETWEEN, 0, SQL_FLAG_NOT, @$, 3, $1, $4, $6);
    }
  | bit_expr LIKE simple_expr {
        $$ = sql_build_operands(p, SQL_EXPR_LIKE, 0, 0, @$, 2, $1, $3);
    }
  | bit_expr NOT LIKE simple_expr {
        $$ = sql_build_operands(p, SQL_EXPR_LIKE, 0, SQL_FLAG_NOT, @$, 2, $1, $4);
    }
  | bit_expr LIKE simple_expr ESCAPE simple_expr {
        $$ = sql_build_operands(p, SQL_EXPR_LIKE, 0, 0, @$, 3, $1, $3, $5);
    }
  | bit_expr NOT LIKE simple_expr ESCAPE simple_expr {
        $$ = sql_build_operands(p, SQL_EXPR_LIKE, 0, SQL_FLAG_NOT, @$, 3, $1, $4, $6);
    }
  | bit_expr SOUNDS_LIKE bit_expr { $$ = BINARY(SOUNDS_LIKE, $1, $3, @$); }
  | bit_expr REGEXP bit_expr { $$ = BINARY(REGEXP, $1, $3, @$); }
  | bit_expr NOT REGEXP bit_expr { $$ = UNARY(NOT, BINARY(REGEXP, $1, $4, @$), @$); }
  | bit_expr %prec ASSIGN
  ;

bit_expr:
    bit_expr '|' bit_expr { $$ = BINARY(BIT_OR, $1, $3, @$); }
  | bit_expr '&' bit_expr { $$ = BINARY(BIT_AND, $1, $3, @$); }
  | bit_expr SHL bit_expr { $$ = BINARY(SHL, $1, $3, @$); }
  | bit_expr SHR bit_expr { $$ = BINARY(SHR, $1, $3, @$); }
  | bit_expr '+' bit_expr { $$ = BINARY(ADD, $1, $3, @$); }
  | bit_expr '-' bit_expr { $$ = BINARY(SUB, $1, $3, @$); }
  | bit_expr '+' interval %prec '+' { $$ = BINARY(ADD, $1, $3, @$); }
  | bit_expr '-' interval %prec '+' { $$ = BINARY(SUB, $1, $3, @$); }
  | interval '+' bit_expr { $$ = BINARY(ADD, $1, $3, @$); }
  | bit_expr '*' bit_expr { $$ = BINARY(MUL, $1, $3, @$); }
  | bit_expr '/' bit_expr { $$ = BINARY(DIV, $1, $3, @$); }
  | bit_expr '%' bit_expr { $$ = BINARY(MOD, $1, $3, @$); }
  | bit_expr DIV bit_expr { $$ = BINARY(INT_DIV, $1, $3, @$); }
  | bit_expr MOD bit_expr { $$ = BINARY(MOD, $1, $3, @$); }
  | bit_expr '^' bit_expr { $$ = BINARY(BIT_XOR, $1, $3, @$); }
  | bit_expr CONCAT bit_expr { $$ = sql_build_call_n(p, "concat", @$, 2, $1, $3); }
  | simple_expr %prec ASSIGN
  ;

interval:
    INTERVAL expr IDENT { $$ = sql_build_unit(p, SQL_EXPR_INTERVAL, $2, $3, @3, @$); }
  ;

simple_expr:
    literal
  | column_ref
  | function_call
  | PARAM {
        $$ = sql_build_leaf(p, SQL_EXPR_PARAM, @$);
        $$->v.integer = (int64_t)$1;
    }
  | USER_VAR { $$ = sql_build_user_var(p, $1, @$); }
  | SYS_VAR { $$ = sql_build_sys_var(p, $1, @$); }
  | USER_VAR ASSIGN expr {
        p->assigns_variables = true;
        $$ = BINARY(ASSIGN, sql_build_user_var(p, $1, @1), $3, @$);
    }
  | simple_expr COLLATE collation_name {
        $$ = sql_build_collate(p, SQL_EXPR_COLLATE, $1, $3, @$);
    }
  | column_ref ARROW text_literal { $$ = BINARY(JSON_GET, $1, $3, @$); }
  | column_ref LONG_ARROW text_literal { $$ = BINARY(JSON_GET_TEXT, $1, $3, @$); }
  | '-' simple_expr %prec NEGATE { $$ = sql_build_negate(p, $2, @$); }
  | '+' simple_expr %prec NEGATE { $$ = UNARY(PLUS, $2, @$); }
  | '~' simple_expr { $$ = UNARY(BIT_NOT, $2, @$); }
  | '!' simple_expr { $$ = UNARY(NOT, $2, @$); }
  | BINARY simple_expr %prec NEGATE { $$ = UNARY(BINARY, $2, @$); }
  | '(' expr ')' {
        $$ = $2;
        $$->flags |= SQL_FLAG_PARENS;
    }
  | '(' expr ',' expr_list ')' {
        $$ = sql_build_operand_list(p, SQL_EXPR_ROW, 0, $2, $4, @$);
    }
  | subquery { $$ = sql_build_subquery(p, SQL_EXPR_SUBQUERY, $1, @$); }
  | EXISTS subquery { $$ = sql_build_subquery(p, SQL_EXPR_EXISTS, $2, @$); }
  | '{' IDENT expr '}' { $$ = sql_build_braces(p, $2, $3, @2, @$); }
  | CASE operand_opt when_list else_opt END { $$ = sql_build_case(p, $2, $3, $4, @$); }
  | MATCH '(' expr_list ')' AGAINST '(' bit_expr match_mode ')' {
        $$ = sql_build_operand_list(p, SQL_EXPR_MATCH, 0, NULL, sql_list_add_expr($3, $7), @$);
        $$->op = (uint8_t)$8;
    }
  | MATCH '(' expr_list ')' %prec NO_CLAUSE {
        $$ = sql_build_call(p, "match", sql_build_call_args(p, $3), @$);
    }
  ;

operand_opt:
    %empty { $$ = NULL; }
  | expr
  ;

when_list:
    WHEN expr THEN expr { $$ = sql_list_add_expr(sql_list_add_expr(NONE, $2), $4); }
  | when_list WHEN expr THEN expr { $$ = sql_list_add_expr(sql_list_add_expr($1, $3), $5); }
  ;

else_opt:
    %empty { $$ = NULL; }
  | ELSE expr { $$ = $2; }
  ;

match_mode:
    %empty { $$ = SQL_MATCH_DEFAULT; }
  | IN NATURAL IDENT MODE { $$ = sql_build_match(p, SQL_MATCH_NATURAL, $3, "LANGUAGE", @3); }
  | IN NATURAL IDENT MODE WITH QUERY IDENT {
        $$ = sql_build_match(p, SQL_MATCH_NATURAL_EXPANSION, $3, "LANGUAGE", @3);
        $$ = sql_build_match(p, $$, $7, "EXPANSION", @7);
    }
  | IN IDENT MODE { $$ = sql_build_match(p, SQL_MATCH_BOOLEAN, $2, "BOOLEAN", @2); }
  | WITH QUERY IDENT { $$ = sql_build_match(p, SQL_MATCH_EXPANSION, $3, "EXPANSION", @3); }
  ;

expr_list:
    expr { $$ = sql_list_add_expr(NONE, $1); }
  | expr_list ',' expr { $$ = sql_list_add_expr($1, $3); }
  ;

/* ------------------------------------------------------------------ functions ---- */

function_call:
    call_head window_opt {
        $$ = $1;
        sql_build_over(p, $$, $2, @$);
    }
  | special_call
  ;

call_head:
    call_name '(' call_args ')' { $$ = sql_build_call(p, $1, $3, @$); }
  | call_name '(' call_args ')' WITHIN GROUP '(' order_clause ')' filter_opt {
        $3->within_group = $8.head;
        $3->filter = $10;
        $$ = sql_build_call(p, $1, $3, @$);
    }
  | call_name '(' call_args ')' FILTER '(' WHERE expr ')' {
        $3->filter = $8;
        $$ = sql_build_call(p, $1, $3, @$);
    }
  ;

call_name:
    ident
  | ident '.' ident { $$ = sql_build_pair(p, $1, '.', $3); }
  | ident '.' ident '.' ident {
        $$ = sql_build_pair(p, sql_build_pair(p, $1, '.', $3), '.', $5);
    }
  | IF { $$ = NAME($1); }
  | LEFT { $$ = NAME($1); }
  | RIGHT { $$ = NAME($1); }
  | REPLACE { $$ = NAME($1); }
  | INSERT { $$ = NAME($1); }
  | REPEAT { $$ = NAME($1); }
  | MOD { $$ = NAME($1); }
  | DATABASE { $$ = NAME($1); }
  | INTERVAL_CALL { $$ = NAME($1); }
  ;

call_args:
    %empty { $$ = sql_build_call_args(p, NONE); }
  | '*' {
        $$ = sql_build_call_args(p, NONE);
        $$->has_star = true;
    }
  | distinct_opt call_arg_list order_opt separator_opt {
        $$ = sql_build_call_args(p, $2);
        $$->is_distinct = $1;
        $$->order_by = $3.head;
        $$->separator = $4;
    }
  ;

distinct_opt:
    %empty { $$ = false; }
  | ALL { $$ = false; }
  | DISTINCT { $$ = true; }
  ;

call_arg_list:
    call_arg { $$ = sql_list_add_expr(NONE, $1); }
  | call_arg_list ',' call_arg { $$ = sql_list_add_expr($1, $3); }
  ;

call_arg:
    expr
  | interval
  ;

separator_opt:
    %empty { $$ = NULL; }
  | SEPARATOR text_literal { $$ = $2; }
  ;

filter_opt:
    %empty { $$ = NULL; }
  | FILTER '(' WHERE expr ')' { $$ = $4; }
  ;

special_call:
    date_keyword
  | date_keyword '(' ')' {
        $$ = $1;
        $$->length = @$.end - @$.begin;
        $$->v.call->has_parens = true;
    }
  | date_keyword '(' INTEGER ')' {
        $$ = sql_build_call_n(p, $1->v.call->name, @$, 1, sql_build_integer(p, $3, @3));
    }
  | CHAR '(' expr_list ')' { $$ = sql_build_char(p, $1, $3, NULL, @$); }
  | CHAR '(' expr_list USING charset_name ')' { $$ = sql_build_char(p, $1, $3, $5, @$); }
  | CAST '(' expr AS cast_type ')' { $$ = sql_build_cast(p, $3, $5, false, @$); }
  | CONVERT '(' expr ',' cast_type ')' { $$ = sql_build_cast(p, $3, $5, true, @$); }
  | CONVERT '(' expr USING charset_name ')' {
        $$ = sql_build_collate(p, SQL_EXPR_CONVERT, $3, $5, @$);
    }
  | EXTRACT '(' IDENT FROM expr ')' {
        $$ = sql_build_unit(p, SQL_EXPR_EXTRACT, $5, $3, @3, @$);
    }
  | EXTRACT '(' expr ',' expr ')' { $$ = sql_build_call_n(p, "strftime", @$, 2, $3, $5); }
  | CAST '(' expr ',' expr ')' { $$ = sql_build_call_n(p, "cast", @$, 2, $3, $5); }
  | POSITION '(' bit_expr IN expr ')' { $$ = sql_build_call_n(p, "locate", @$, 2, $3, $5); }
  | SUBSTRING '(' expr_list ')' {
        $$ = sql_build_call(p, NAME($1), sql_build_call_args(p, $3), @$);
    }
  | SUBSTRING '(' expr FROM expr ')' { $$ = sql_build_call_n(p, "substring", @$, 2, $3, $5); }
  | SUBSTRING '(' expr FROM expr FOR expr ')' {
        $$ = sql_build_call_n(p, "substring", @$, 3, $3, $5, $7);
    }
  | TRIM '(' expr ')' { $$ = TRIM(SQL_TRIM_BOTH, $3, NULL, @$); }
  | TRIM '(' expr FROM expr ')' { $$ = TRIM(SQL_TRIM_BOTH, $5, $3, @$); }
  | TRIM '(' trim_mode FROM expr ')' { $$ = TRIM($3, $5, NULL, @$); }
  | TRIM '(' trim_mode expr FROM expr ')' { $$ = TRIM($3, $6, $4, @$); }
  | VALUES '(' column_ref ')' {
        $$ = sql_build_operands(p, SQL_EXPR_VALUES, 0, 0, @$, 1, $3);
    }
  | DEFAULT '(' column_ref ')' {
        $$ = sql_build_operands(p, SQL_EXPR_DEFAULT, 0, 0, @$, 1, $3);
    }
  ;

date_keyword:
    date_word { $$ = sql_build_call_n(p, NAME($1), @$, 0); $$->v.call->has_parens = false; }
  ;

date_word:
    CURRENT_DATE | CURRENT_TIME | CURRENT_TIMESTAMP | CURRENT_USER | LOCALTIME | LOCALTIMESTAMP
  | UTC_DATE | UTC_TIME | UTC_TIMESTAMP
  ;

trim_mode:
    BOTH { $$ = SQL_TRIM_BOTH; }
  | LEADING { $$ = SQL_TRIM_LEADING; }
  | TRAILING { $$ = SQL_TRIM_TRAILING; }
  ;

/* ------------------------------------------------------------------ windows ---- */

window_opt:
    %empty { $$ = NULL; }
  | OVER ident {
        $$ = NEW(sql_window);
        $$->base = $2;
        $$->is_reference = true;
    }
  | OVER window_spec { $$ = $2; }
  ;

window_spec:
    '(' opt_ident partition_opt order_opt frame_opt ')' {
        $$ = $5;
        $$->base = $2;
        $$->partition_by = $3.head;
        $$->order_by = $4.head;
    }
  ;

partition_opt:
    %empty { $$ = NONE; }
  | PARTITION BY group_list { $$ = $3; }
  ;

frame_opt:
    %empty { $$ = NEW(sql_window); }
  | frame_unit bound {
        $$ = NEW(sql_window);
        $$->frame = $1;
        $$->from = $2;
    }
  | frame_unit BETWEEN bound AND bound {
        $$ = NEW(sql_window);
        $$->frame = $1;
        $$->from = $3;
        $$->to = $5;
    }
  ;

frame_unit:
    ROWS { $$ = SQL_FRAME_ROWS; }
  | RANGE { $$ = SQL_FRAME_RANGE; }
  ;

bound:
    UNBOUNDED PRECEDING { $$ = BOUND(UNBOUNDED_PRECEDING, NULL); }
  | UNBOUNDED FOLLOWING { $$ = BOUND(UNBOUNDED_FOLLOWING, NULL); }
  | CURRENT IDENT { $$ = BOUND(CURRENT_ROW, NULL); }
  | bound_value PRECEDING { $$ = BOUND(PRECEDING, $1); }
  | bound_value FOLLOWING { $$ = BOUND(FOLLOWING, $1); }
  ;

bound_value:
    literal
  | PARAM {
        $$ = sql_build_leaf(p, SQL_EXPR_PARAM, @$);
        $$->v.integer = (int64_t)$1;
    }
  | interval
  ;

window_clause:
    %empty { $$ = NONE; }
  | WINDOW window_list { $$ = $2; }
  ;

window_list:
    ident AS window_spec { $3->name = $1; $$ = FIRST($3); }
  | window_list ',' ident AS window_spec { $5->name = $3; $$ = ADD($1, $5); }
  ;

/* ------------------------------------------------------------------ types ---- */

type:
    type_base type_size type_flags {
        $$ = sql_build_type_done(p, $1, $2, $3, @$);
    }
  ;

type_base:
    TYPE_NAME { $$ = sql_build_type(p, $1, false, @$); }
  | TYPE_NAME PRECISION { $$ = sql_build_type(p, $1, false, @$); }
  | TYPE_NAME VARYING { $$ = sql_build_type(p, $1, false, @$); }
  | IDENT { $$ = sql_build_type(p, $1, false, @$); }
  | DOUBLE { $$ = sql_build_type_kind(p, SQL_TYPE_DOUBLE); }
  | DOUBLE PRECISION { $$ = sql_build_type_kind(p, SQL_TYPE_DOUBLE); }
  | CHAR { $$ = sql_build_type_kind(p, SQL_TYPE_CHAR); }
  | CHARACTER { $$ = sql_build_type_kind(p, SQL_TYPE_CHAR); }
  | CHAR VARYING { $$ = sql_build_type_kind(p, SQL_TYPE_VARCHAR); }
  | CHARACTER VARYING { $$ = sql_build_type_kind(p, SQL_TYPE_VARCHAR); }
  | BINARY { $$ = sql_build_type_kind(p, SQL_TYPE_BINARY); }
  | SET { $$ = sql_build_type_kind(p, SQL_TYPE_SET); }
  ;

text_list:
    STRING { $$ = FIRST(sql_build_text_entry(p, $1)); }
  | text_list ',' STRING { $$ = ADD($1, sql_build_text_entry(p, $3)); }
  ;

type_size:
    %empty { $$ = (struct sql_type_size){-1, -1, NULL}; }
  | '(' INTEGER ')' { $$ = (struct sql_type_size){sql_build_size(p, $2, @2), -1, NULL}; }
  | '(' INTEGER ',' INTEGER ')' {
        $$ = (struct sql_type_size){sql_build_size(p, $2, @2), sql_build_size(p, $4, @4), NULL};
    }
  | '(' text_list ')' { $$ = (struct sql_type_size){-1, -1, $2.head}; }
  ;

type_flags:
    %empty { $$ = sql_build_type_kind(p, SQL_TYPE_NAMED); }
  | type_flags UNSIGNED { $$ = $1; $$->is_unsigned = true; }
  | type_flags SIGNED { $$ = $1; }
  | type_flags ZEROFILL { $$ = $1; $$->is_zerofill = $$->is_unsigned = true; }
  | type_flags BINARY { $$ = $1; $$->is_binary = true; }
  | type_flags charset_word charset_name { $$ = $1; $$->charset = $3; }
  ;

charset_word:
    CHARACTER SET
  | CHAR SET
  | CHARSET
  ;

cast_type:
    cast_base type_size type_flags { $$ = sql_build_type_done(p, $1, $2, $3, @$); }
  ;

cast_base:
    SIGNED { $$ = sql_build_type_kind(p, SQL_TYPE_SIGNED); }
  | SIGNED TYPE_NAME { $$ = sql_build_type_kind(p, SQL_TYPE_SIGNED); }
  | UNSIGNED { $$ = sql_build_type_kind(p, SQL_TYPE_UNSIGNED); }
  | UNSIGNED TYPE_NAME { $$ = sql_build_type_kind(p, SQL_TYPE_UNSIGNED); }
  | TYPE_NAME { $$ = sql_build_type(p, $1, true, @$); }
  | IDENT { $$ = sql_build_type(p, $1, true, @$); }
  | DOUBLE { $$ = sql_build_type_kind(p, SQL_TYPE_DOUBLE); }
  | DOUBLE PRECISION { $$ = sql_build_type_kind(p, SQL_TYPE_DOUBLE); }
  | CHAR { $$ = sql_build_type_kind(p, SQL_TYPE_CHAR); }
  | CHARACTER { $$ = sql_build_type_kind(p, SQL_TYPE_CHAR); }
  | BINARY { $$ = sql_build_type_kind(p, SQL_TYPE_BINARY); }
  ;

/* ------------------------------------------------------------------ queries ---- */

select_stmt:
    query { $$ = STMT(SELECT, $1); }
  | query with_options {
        $1->options = $2.head;
        $$ = STMT(SELECT, $1);
    }
  ;

/* The original's options behind a SELECT. */
with_options:
    WITH with_option_list { $$ = $2; }
  | WITH '(' with_option_list ')' { $$ = $3; }
  | WITH '{' json_option_list '}' { $$ = $3; }
  ;

with_option_list:
    with_option { $$ = FIRST($1); }
  | with_option_list ',' with_option { $$ = ADD($1, $3); }
  ;

with_option:
    label '=' option_value { $$ = sql_build_option(p, $1, $3); }
  ;

json_option_list:
    json_option { $$ = FIRST($1); }
  | json_option_list ',' json_option { $$ = ADD($1, $3); }
  ;

json_option:
    label ':' option_value { $$ = sql_build_option(p, $1, $3); }
  ;

option_value:
    signed_literal
  | word { $$ = sql_build_word(p, NAME($1), @$); }
  | QUOTED_IDENT { $$ = sql_build_word(p, NAME($1), @$); }
  | DEFAULT { $$ = sql_build_word(p, NAME($1), @$); }
  | BINARY { $$ = sql_build_word(p, NAME($1), @$); }
  ;

query:
    query_body query_tail { $$ = sql_build_query_done(p, $1, NONE, false, $2, @$); }
  | WITH recursive_opt cte_list query_body query_tail {
        $$ = sql_build_query_done(p, $4, $3, $2, $5, @$);
    }
  ;

query_tail:
    order_opt limit_opt lock_opt into_opt {
        $$ = NEW(sql_query_tail);
        *$$ = (struct sql_query_tail){$1.head, $2, $4, $3};
    }
  ;

recursive_opt:
    %empty { $$ = false; }
  | RECURSIVE { $$ = true; }
  ;

cte_list:
    cte { $$ = FIRST($1); }
  | cte_list ',' cte { $$ = ADD($1, $3); }
  ;

cte:
    ident AS subquery {
        $$ = NEW(sql_cte);
        $$->name = $1;
        $$->query = $3;
    }
  | ident '(' name_list ')' AS subquery {
        $$ = NEW(sql_cte);
        $$->name = $1;
        $$->columns = $3.head;
        $$->query = $6;
    }
  ;

query_body:
    select_core { $$ = sql_build_query(p, $1, NULL, @$); }
  | VALUES row_constructors { $$ = sql_build_values(p, $2, @$); }
  | query_parens %prec AS_QUERY { $$ = sql_build_query(p, NULL, $1, @$); }
  | query_body UNION set_all query_body {
        $$ = sql_build_set(p, $1, SQL_SET_UNION, $3, $4, @$);
    }
  | query_body EXCEPT set_all query_body {
        $$ = sql_build_set(p, $1, SQL_SET_EXCEPT, $3, $4, @$);
    }
  | query_body INTERSECT set_all query_body {
        $$ = sql_build_set(p, $1, SQL_SET_INTERSECT, $3, $4, @$);
    }
  ;

set_all:
    %empty { $$ = false; }
  | ALL { $$ = true; }
  | DISTINCT { $$ = false; }
  ;

query_parens:
    '(' query ')' { $$ = $2; }
  | '(' query_parens ')' { $$ = $2; }
  ;

subquery:
    query_parens %prec AS_QUERY {
        p->has_subqueries = true;
        $$ = sql_build_inner(p, $1, @1);
    }
  ;

select_core:
    SELECT select_options select_items select_from {
        $$ = sql_build_select(p, $2, $3, NULL, $4, @$);
    }
  | SELECT select_options select_items into_clause select_from {
        $$ = sql_build_select(p, $2, $3, $4, $5, @$);
    }
  | TABLE table_name { $$ = sql_build_table_select(p, $2, @$); }
  ;

select_from:
    where_opt having_opt {
        $$ = NEW(sql_select);
        $$->where = $1;
        $$->having = $2;
    }
  | FROM from_clause where_opt group_opt having_opt window_clause {
        $$ = NEW(sql_select);
        $$->from = $2;
        $$->where = $3;
        $$->group_by = $4.head;
        $$->has_rollup = $4.flag;
        $$->having = $5;
        $$->windows = $6.head;
    }
  ;

select_options:
    %empty { $$ = 0; }
  | select_options ALL { $$ = $1; }
  | select_options DISTINCT { $$ = $1 | SQL_BUILD_DISTINCT; }
  | select_options STRAIGHT_JOIN { $$ = $1 | SQL_BUILD_STRAIGHT; }
  | select_options SQL_CALC_FOUND_ROWS { $$ = $1 | SQL_BUILD_FOUND_ROWS; }
  | select_options select_hint { $$ = $1; }
  ;

select_hint:
    HIGH_PRIORITY
  | SQL_SMALL_RESULT
  | SQL_BIG_RESULT
  | SELECT_HINT
  ;

select_items:
    select_item { $$ = FIRST($1); }
  | select_items ',' select_item { $$ = ADD($1, $3); }
  ;

select_item:
    '*' { $$ = sql_build_item(p, sql_build_leaf(p, SQL_EXPR_STAR, @1), NULL, @1); }
  | ident '.' '*' {
        $$ = sql_build_item(p, sql_build_column(p, NULL, $1, NULL, @$), NULL, @$);
    }
  | ident '.' ident '.' '*' {
        $$ = sql_build_item(p, sql_build_column(p, $1, $3, NULL, @$), NULL, @$);
    }
  | expr opt_alias { $$ = sql_build_item(p, $1, $2, @1); }
  ;

from_clause:
    table_refs
  | DUAL {
        $$ = sql_build_table(p, NULL, NULL, @$);
    }
  ;

table_refs:
    table_ref
  | table_refs ',' table_ref {
        $$ = sql_build_join(p, SQL_JOIN_CROSS, $1, $3, NULL, NULL, @$);
        $$->is_comma = true;
    }
  ;

table_ref:
    table_factor
  | joined_table
  ;

joined_table:
    table_ref join_kind table_ref %prec NO_CONDITION {
        $$ = sql_build_join_bare(p, $1, $3, $2, @$);
    }
  | table_ref join_kind table_ref ON expr {
        $$ = sql_build_join(p, SQL_JOIN_INNER, $1, $3, $5, NULL, @$);
        $$->is_straight = $2;
    }
  | table_ref join_kind table_ref USING '(' name_list ')' {
        $$ = sql_build_join(p, SQL_JOIN_INNER, $1, $3, NULL, $6.head, @$);
    }
  | table_ref outer_kind table_ref ON expr {
        $$ = sql_build_join(p, $2, $1, $3, $5, NULL, @$);
    }
  | table_ref OUTER JOIN table_ref ON expr {
        $$ = sql_build_join(p, SQL_JOIN_LEFT, $1, $4, $6, NULL, @$);
        $$->is_bare_outer = true;
    }
  | table_ref OUTER JOIN table_ref USING '(' name_list ')' {
        $$ = sql_build_join(p, SQL_JOIN_LEFT, $1, $4, NULL, $7.head, @$);
        $$->is_bare_outer = true;
    }
  | table_ref outer_kind table_ref USING '(' name_list ')' {
        $$ = sql_build_join(p, $2, $1, $3, NULL, $6.head, @$);
    }
  | table_ref natural_kind table_factor {
        $$ = sql_build_join(p, $2, $1, $3, NULL, NULL, @$);
        $$->is_natural = true;
    }
  ;

join_kind:
    JOIN { $$ = 0; }
  | INNER JOIN { $$ = 0; }
  | CROSS JOIN { $$ = 0; }
  | STRAIGHT_JOIN { $$ = 1; }
  ;

outer_kind:
    LEFT JOIN { $$ = SQL_JOIN_LEFT; }
  | LEFT OUTER JOIN { $$ = SQL_JOIN_LEFT; }
  | RIGHT JOIN { $$ = SQL_JOIN_RIGHT; }
  | RIGHT OUTER JOIN { $$ = SQL_JOIN_RIGHT; }
  ;

natural_kind:
    NATURAL JOIN { $$ = SQL_JOIN_INNER; }
  | NATURAL INNER JOIN { $$ = SQL_JOIN_INNER; }
  | NATURAL LEFT JOIN { $$ = SQL_JOIN_LEFT; }
  | NATURAL LEFT OUTER JOIN { $$ = SQL_JOIN_LEFT; }
  | NATURAL RIGHT JOIN { $$ = SQL_JOIN_RIGHT; }
  | NATURAL RIGHT OUTER JOIN { $$ = SQL_JOIN_RIGHT; }
  ;

table_factor:
    table_name table_alias index_hints { $$ = sql_build_table(p, $1, $2, @$); }
  | subquery opt_as ident { $$ = sql_build_derived(p, $1, $3, NULL, @$); }
  | subquery opt_as ident '(' name_list ')' {
        $$ = sql_build_derived(p, $1, $3, $5.head, @$);
    }
  | '(' table_refs ')' {
        $$ = $2;
        $$->has_parens = true;
    }
  ;

index_hints:
    %empty
  | index_hints index_hint
  ;

index_hint:
    hint_verb index_word hint_for '(' hint_names ')'
  ;

hint_verb: USE | FORCE | IGNORE ;
index_word: INDEX | KEY ;
hint_for: %empty | FOR JOIN | FOR ORDER BY | FOR GROUP BY ;
hint_names: %empty | hint_name_list ;
hint_name_list: hint_name | hint_name_list ',' hint_name ;
hint_name: ident | PRIMARY ;

where_opt:
    %empty %prec NO_CLAUSE { $$ = NULL; }
  | WHERE expr { $$ = $2; }
  ;

having_opt:
    %empty { $$ = NULL; }
  | HAVING expr { $$ = $2; }
  ;

group_opt:
    %empty { $$ = NONE; }
  | GROUP BY group_list { $$ = $3; }
  | GROUP BY group_list WITH_ROLLUP {
        $$ = $3;
        $$.flag = true;
    }
  ;

group_list:
    order_item { $$ = FIRST($1); }
  | group_list ',' order_item { $$ = ADD($1, $3); }
  ;

order_opt:
    %empty { $$ = NONE; }
  | order_clause
  ;

order_clause:
    ORDER BY group_list { $$ = $3; }
  ;

order_item:
    expr direction {
        $$ = NEW(sql_order);
        $$->expr = $1;
        $$->is_desc = $2 == 2;
        $$->is_explicit = $2 != 0;
    }
  ;

direction:
    %empty { $$ = 0; }
  | ASC { $$ = 1; }
  | DESC { $$ = 2; }
  ;

limit_opt:
    %empty { $$ = (struct sql_limit){NULL, NULL}; }
  | LIMIT limit_value { $$ = (struct sql_limit){$2, NULL}; }
  | LIMIT limit_value ',' limit_value { $$ = (struct sql_limit){$4, $2}; }
  | LIMIT limit_value OFFSET limit_value { $$ = (struct sql_limit){$2, $4}; }
  | OFFSET limit_value { $$ = (struct sql_limit){NULL, $2}; }
  ;

limit_value:
    INTEGER { $$ = sql_build_integer(p, $1, @$); }
  | PARAM {
        $$ = sql_build_leaf(p, SQL_EXPR_PARAM, @$);
        $$->v.integer = (int64_t)$1;
    }
  ;

lock_opt:
    %empty { $$ = SQL_LOCK_NONE; }
  | lock_opt FOR UPDATE lock_words { $$ = SQL_LOCK_UPDATE; }
  | lock_opt FOR SHARE lock_words { $$ = SQL_LOCK_SHARE; }
  | lock_opt LOCK IN SHARE MODE { $$ = SQL_LOCK_SHARE; }
  ;

/* OF t, NOWAIT, SKIP LOCKED: without meaning here. */
lock_words: %empty | lock_words IDENT | lock_words ',' IDENT ;

into_opt:
    %empty { $$ = NULL; }
  | into_clause
  ;

into_clause:
    INTO STRING { $$ = sql_build_into(p, SQL_INTO_URI, $2); }
  | INTO ident { $$ = sql_build_into(p, SQL_INTO_NAME, sql_build_text_of($2)); }
  | INTO DUMPFILE STRING { $$ = sql_build_into(p, SQL_INTO_DUMPFILE, $3); }
  | INTO OUTFILE STRING outfile_options {
        $$ = sql_build_into(p, SQL_INTO_OUTFILE, $3);
        $$->format = $4.head;
    }
  | INTO user_var_list {
        $$ = NEW(sql_into);
        $$->kind = SQL_INTO_VARS;
        $$->vars = $2.head;
    }
  ;

user_var_list:
    USER_VAR { $$ = FIRST(sql_build_name_entry(p, NAME($1), @1)); }
  | user_var_list ',' USER_VAR { $$ = ADD($1, sql_build_name_entry(p, NAME($3), @3)); }
  ;

outfile_options:
    %empty { $$ = NONE; }
  | outfile_options charset_word charset_name {
        $$ = ADD($1, sql_build_option(p, "CHARSET", sql_build_word(p, $3, @3)));
    }
  | outfile_options COLUMNS field_options { $$ = sql_list_join($1, $3); }
  | outfile_options LINES line_options { $$ = sql_list_join($1, $3); }
  ;

field_options:
    field_option { $$ = FIRST($1); }
  | field_options field_option { $$ = ADD($1, $2); }
  ;

field_option:
    TERMINATED BY text_literal { $$ = sql_build_option(p, "fields_terminated", $3); }
  | ENCLOSED BY text_literal { $$ = sql_build_option(p, "fields_enclosed", $3); }
  | OPTIONALLY ENCLOSED BY text_literal {
        $$ = sql_build_option(p, "fields_optionally_enclosed", $4);
    }
  | ESCAPED BY text_literal { $$ = sql_build_option(p, "fields_escaped", $3); }
  ;

line_options:
    line_option { $$ = FIRST($1); }
  | line_options line_option { $$ = ADD($1, $2); }
  ;

line_option:
    TERMINATED BY text_literal { $$ = sql_build_option(p, "lines_terminated", $3); }
  | STARTING BY text_literal { $$ = sql_build_option(p, "lines_starting", $3); }
  ;

/* ------------------------------------------------------------------ changes ---- */

insert_stmt:
    insert_head insert_body { $$ = sql_build_insert(p, $1, $2, NULL); }
  | insert_head insert_body ON DUPLICATE KEY UPDATE assign_list {
        if ($1->is_replace) {
            sql_parser_fail(p, SQL_PARSE_SYNTAX, @3.begin);
        }
        $$ = sql_build_insert(p, $1, $2, $7.head);
    }
  ;

insert_head:
    INSERT insert_flags opt_into table_name {
        $$ = NEW(sql_insert);
        $$->is_ignore = $2;
        $$->table = *$4;
    }
  | REPLACE insert_flags opt_into table_name {
        $$ = NEW(sql_insert);
        $$->is_replace = true;
        $$->table = *$4;
    }
  ;

insert_flags:
    %empty { $$ = false; }
  | insert_flags IGNORE { $$ = true; }
  | insert_flags LOW_PRIORITY { $$ = $1; }
  | insert_flags HIGH_PRIORITY { $$ = $1; }
  | insert_flags DELAYED { $$ = $1; }
  ;

opt_into: %empty | INTO ;

insert_body:
    insert_rows
  | '(' ')' insert_rows {
        $$ = $3;
        $$->has_columns = true;
    }
  | '(' insert_columns ')' insert_rows {
        $$ = $4;
        sql_build_insert_columns($$, $2);
    }
  | query {
        $$ = NEW(sql_insert);
        sql_build_insert_query(p, $$, $1, @1);
    }
  | '(' ')' query {
        $$ = NEW(sql_insert);
        $$->has_columns = true;
        sql_build_insert_query(p, $$, $3, @3);
    }
  | '(' insert_columns ')' query {
        $$ = NEW(sql_insert);
        sql_build_insert_columns($$, $2);
        sql_build_insert_query(p, $$, $4, @4);
    }
  | SET assign_list row_alias {
        $$ = $3;
        sql_build_insert_set(p, $$, $2.head);
    }
  ;

insert_rows:
    values_word row_list row_alias {
        $$ = $3;
        sql_build_insert_rows($$, $2);
    }
  | VALUES row_constructors AS ident alias_columns {
        $$ = NEW(sql_insert);
        $$->row_alias = $4;
        $$->row_columns = $5.head;
        sql_build_insert_query(p, $$, sql_build_values(p, $2, @$), @$);
    }
  ;

/* The name of the row for ON DUPLICATE KEY UPDATE. */
row_alias:
    %empty { $$ = NEW(sql_insert); }
  | AS ident alias_columns {
        $$ = NEW(sql_insert);
        $$->row_alias = $2;
        $$->row_columns = $3.head;
    }
  ;

alias_columns: %empty { $$ = NONE; } | '(' name_list ')' { $$ = $2; } ;

values_word: VALUES | VALUE ;

load_stmt:
    LOAD IDENT load_priority load_local INFILE STRING load_ignore INTO TABLE table_name outfile_options
    load_skip load_columns load_set {
        struct sql_load *load = sql_build_load(p, $2, @2, $6);
        load->is_local = $4;
        load->insert.is_ignore = $7;
        load->insert.table = *$10;
        load->format = $11.head;
        load->skip = $12;
        sql_build_insert_columns(&load->insert, $13);
        load->insert.has_columns = $13.head != NULL;
        load->assigns = $14.head;
        $$ = STMT(LOAD_DATA, load);
    }
  | LOAD IDENT load_priority load_local INFILE STRING REPLACE INTO TABLE table_name outfile_options
    load_skip load_columns load_set {
        struct sql_load *load = sql_build_load(p, $2, @2, $6);
        load->is_local = $4;
        load->insert.is_replace = true;
        load->insert.table = *$10;
        load->format = $11.head;
        load->skip = $12;
        sql_build_insert_columns(&load->insert, $13);
        load->insert.has_columns = $13.head != NULL;
        load->assigns = $14.head;
        $$ = STMT(LOAD_DATA, load);
    }
  ;

load_priority: %empty { $$ = 0; } | LOW_PRIORITY { $$ = 0; } ;
load_local: %empty { $$ = false; } | LOCAL { $$ = true; } ;
load_ignore: %empty { $$ = false; } | IGNORE { $$ = true; } ;

load_skip:
    %empty { $$ = NULL; }
  | IGNORE INTEGER LINES { $$ = sql_build_integer(p, $2, @2); }
  | IGNORE INTEGER ROWS { $$ = sql_build_integer(p, $2, @2); }
  ;

load_columns: %empty { $$ = NONE; } | '(' ')' { $$ = NONE; } | '(' insert_columns ')' { $$ = $2; } ;
load_set: %empty { $$ = NONE; } | SET assign_list { $$ = $2; } ;

insert_columns:
    insert_column { $$ = FIRST($1); }
  | insert_columns ',' insert_column { $$ = ADD($1, $3); }
  ;

insert_column:
    ident { $$ = sql_build_name_entry(p, $1, @$); }
  | ident '.' ident { $$ = sql_build_name_entry(p, $3, @3); }
  | ident '.' ident '.' ident { $$ = sql_build_name_entry(p, $5, @5); }
  | USER_VAR { $$ = sql_build_name_entry(p, sql_build_at(p, $1), @1); }
  ;

row_list:
    row { $$ = FIRST($1); }
  | row_list ',' row { $$ = ADD($1, $3); }
  ;

row:
    '(' values ')' {
        $$ = NEW(sql_row);
        $$->values = $2.head;
        $$->count = $2.count;
    }
  ;

row_constructors:
    row_constructor { $$ = FIRST($1); }
  | row_constructors ',' row_constructor { $$ = ADD($1, $3); }
  ;

row_constructor:
    IDENT '(' values ')' { $$ = sql_build_row(p, $1, $3, @1); }
  ;

values:
    value_slot { $$ = $1 ? sql_list_add_expr(NONE, $1) : NONE; }
  | values ',' value_slot {
        sql_build_check_slots(p, $1.count, $3, @2, @3);
        $$ = $3 ? sql_list_add_expr($1, $3) : $1;
    }
  ;

value_slot:
    %empty { $$ = NULL; }
  | ROW_VALUE
  | expr
  | DEFAULT { $$ = sql_build_leaf(p, SQL_EXPR_DEFAULT, @$); }
  ;

assign_list:
    assignment { $$ = FIRST($1); }
  | assign_list ',' assignment { $$ = ADD($1, $3); }
  ;

assignment:
    column_ref assign_sign expr_or_default {
        $$ = NEW(sql_assign);
        $$->column = $1;
        $$->value = $3;
    }
  | USER_VAR '=' expr_or_default {
        $$ = NEW(sql_assign);
        $$->column = sql_build_column(p, NULL, NULL, sql_build_at(p, $1), @1);
        $$->value = $3;
    }
  ;

assign_sign: '=' | ASSIGN ;

expr_or_default:
    expr
  | DEFAULT { $$ = sql_build_leaf(p, SQL_EXPR_DEFAULT, @$); }
  ;

update_stmt:
    UPDATE update_flags table_refs SET assign_list where_opt order_opt limit_opt {
        struct sql_update *update = NEW(sql_update);
        update->is_ignore = $2;
        update->table = $3;
        update->assigns = $5.head;
        update->where = $6;
        update->order_by = $7.head;
        update->limit = $8;
        $$ = STMT(UPDATE, update);
    }
  ;

update_flags:
    %empty { $$ = false; }
  | update_flags LOW_PRIORITY { $$ = $1; }
  | update_flags IGNORE { $$ = true; }
  ;

delete_stmt:
    DELETE update_flags FROM table_name table_alias where_opt order_opt limit_opt {
        struct sql_delete *node = NEW(sql_delete);
        node->is_ignore = $2;
        node->table = sql_build_table(p, $4, $5, @4);
        node->where = $6;
        node->order_by = $7.head;
        node->limit = $8;
        $$ = STMT(DELETE, node);
    }
  | DELETE update_flags delete_targets FROM table_refs where_opt {
        struct sql_delete *node = NEW(sql_delete);
        node->is_ignore = $2;
        node->targets = $3.head;
        node->table = $5;
        node->where = $6;
        $$ = STMT(DELETE, node);
    }
  | DELETE update_flags FROM delete_targets USING table_refs where_opt {
        struct sql_delete *node = NEW(sql_delete);
        node->is_ignore = $2;
        node->targets = $4.head;
        node->table = $6;
        node->where = $7;
        $$ = STMT(DELETE, node);
    }
  ;

delete_targets:
    delete_target { $$ = FIRST($1); }
  | delete_targets ',' delete_target { $$ = ADD($1, $3); }
  ;

delete_target:
    table_name
  | ident '.' '*' { $$ = sql_build_table_name(p, NULL, $1, @$); }
  | ident '.' ident '.' '*' { $$ = sql_build_table_name(p, $1, $3, @$); }
  ;

/* ------------------------------------------------------------------ definitions ---- */

create_stmt:
    CREATE temporary_opt TABLE if_not_exists table_name '(' table_elements ')' table_options
    create_query {
        $7->is_temporary = $2;
        $7->if_not_exists = $4;
        $7->table = *$5;
        $7->options = $9.head;
        $7->query = $10;
        $$ = STMT(CREATE_TABLE, $7);
    }
  | CREATE temporary_opt TABLE if_not_exists table_name create_query_only {
        struct sql_create_table *create = NEW(sql_create_table);
        create->is_temporary = $2;
        create->if_not_exists = $4;
        create->table = *$5;
        create->query = $6;
        $$ = STMT(CREATE_TABLE, create);
    }
  | CREATE temporary_opt TABLE if_not_exists table_name table_options_some create_query_only {
        struct sql_create_table *create = NEW(sql_create_table);
        create->is_temporary = $2;
        create->if_not_exists = $4;
        create->table = *$5;
        create->options = $6.head;
        create->query = $7;
        $$ = STMT(CREATE_TABLE, create);
    }
  | CREATE temporary_opt TABLE if_not_exists table_name LIKE table_name {
        struct sql_create_table *create = NEW(sql_create_table);
        create->is_temporary = $2;
        create->if_not_exists = $4;
        create->table = *$5;
        create->like = $7;
        $$ = STMT(CREATE_TABLE, create);
    }
  | CREATE key_class INDEX ident index_type ON table_name '(' key_parts ')' index_options {
        struct sql_index *index = NEW(sql_index);
        index->table = *$7;
        index->key = sql_build_key(p, $2, $4, $9, $11);
        $$ = STMT(CREATE_INDEX, index);
    }
  | CREATE DATABASE if_not_exists ident table_options {
        $$ = sql_build_database(p, SQL_STMT_CREATE_DATABASE, $4, $3, $5);
    }
  | CREATE replace_opt VIEW table_name view_columns AS query {
        struct sql_view *view = NEW(sql_view);
        view->or_replace = $2;
        view->name = *$4;
        view->columns = $5.head;
        view->query = sql_build_inner(p, $7, @7);
        $$ = STMT(CREATE_VIEW, view);
    }
  ;

temporary_opt: %empty { $$ = false; } | TEMPORARY { $$ = true; } ;
replace_opt: %empty { $$ = false; } | OR REPLACE { $$ = true; } ;
view_columns: %empty { $$ = NONE; } | '(' name_list ')' { $$ = $2; } ;

create_query:
    %empty { $$ = NULL; }
  | create_query_only
  ;

create_query_only:
    query { $$ = sql_build_inner(p, $1, @1); }
  | AS query { $$ = sql_build_inner(p, $2, @2); }
  ;

key_class:
    %empty { $$ = SQL_KEY_INDEX; }
  | UNIQUE { $$ = SQL_KEY_UNIQUE; }
  | FULLTEXT { $$ = SQL_KEY_FULLTEXT; }
  ;

table_elements:
    column_def {
        $$ = NEW(sql_create_table);
        $$->columns = $1;
        p->last_column = $1;
        p->last_key = NULL;
    }
  | table_key {
        $$ = NEW(sql_create_table);
        $$->keys = $1;
        p->last_column = NULL;
        p->last_key = $1;
    }
  | table_elements ',' column_def {
        $$ = $1;
        *(p->last_column ? &p->last_column->next : &$$->columns) = $3;
        p->last_column = $3;
    }
  | table_elements ',' table_key {
        $$ = $1;
        *(p->last_key ? &p->last_key->next : &$$->keys) = $3;
        p->last_key = $3;
    }
  ;

column_def:
    ident type column_attributes {
        $$ = $3;
        $$->name = $1;
        $$->offset = @$.begin;
        $$->length = @$.end - @$.begin;
        $$->type = sql_build_column_type($2, $3);
    }
  ;

column_attributes:
    %empty { $$ = NEW(sql_column_def); }
  | column_attributes NOT NULL { $$ = $1; $$->is_not_null = true; }
  | column_attributes NULL { $$ = $1; $$->is_null = true; }
  | column_attributes DEFAULT default_value { $$ = $1; $$->default_value = $3; }
  | column_attributes ON UPDATE function_call { $$ = $1; $$->on_update = $4; }
  | column_attributes AUTO_INCREMENT { $$ = $1; $$->is_auto_increment = true; }
  | column_attributes PRIMARY KEY { $$ = $1; $$->is_primary = true; }
  | column_attributes KEY %prec KEY { $$ = $1; $$->is_primary = true; }
  | column_attributes UNIQUE { $$ = $1; $$->is_unique = true; }
  | column_attributes UNIQUE KEY { $$ = $1; $$->is_unique = true; }
  | column_attributes COMMENT text_literal { $$ = $1; $$->comment = $3; }
  | column_attributes COLLATE collation_name { $$ = $1; $$->type.collation = $3; }
  | column_attributes reference { $$ = $1; $$->reference = $2; }
  | column_attributes constraint_opt CHECK '(' expr ')' { $$ = $1; $$->check = $5; }
  | column_attributes generated AS '(' expr ')' { $$ = $1; $$->generated = $5; }
  | column_attributes VIRTUAL { $$ = $1; }
  | column_attributes STORED { $$ = $1; $$->is_stored = true; }
  | column_attributes IDENT option_sign option_value {
        $$ = $1;
        struct sql_list list = {$$->options, p->last_option, 0, false};
        if (!$$->options) {
            list = NONE;
        }
        list = ADD(list, sql_build_option(p, NAME($2), $4));
        $$->options = list.head;
        p->last_option = list.tail;
    }
  ;

generated: %empty | GENERATED ALWAYS ;
constraint_opt: %empty { $$ = NULL; } | CONSTRAINT opt_ident { $$ = $2; } ;
option_sign: %empty | '=' ;

default_value:
    signed_literal
  | column_ref
  | function_call
  | '(' expr ')' {
        $$ = $2;
        $$->flags |= SQL_FLAG_PARENS;
    }
  ;

reference:
    REFERENCES table_name reference_columns reference_actions %prec NO_CLAUSE {
        $$ = $4;
        $$->table = *$2;
        $$->columns = $3.head;
    }
  ;

reference_columns: %empty { $$ = NONE; } | '(' name_list ')' { $$ = $2; } ;

reference_actions:
    %empty { $$ = NEW(sql_reference); }
  | reference_actions ON DELETE reference_action { $$ = $1; $$->on_delete = $4; }
  | reference_actions ON UPDATE reference_action { $$ = $1; $$->on_update = $4; }
  | reference_actions MATCH IDENT { $$ = $1; }
  ;

reference_action:
    RESTRICT { $$ = "RESTRICT"; }
  | CASCADE { $$ = "CASCADE"; }
  | SET NULL { $$ = "SET NULL"; }
  | SET DEFAULT { $$ = "SET DEFAULT"; }
  | NO IDENT { $$ = "NO ACTION"; }
  ;

table_key:
    constraint_opt PRIMARY KEY index_type '(' key_parts ')' index_options {
        $$ = sql_build_key(p, SQL_KEY_PRIMARY, $1, $6, $8);
    }
  | constraint_opt UNIQUE key_word_opt opt_ident index_type '(' key_parts ')' index_options {
        $$ = sql_build_key(p, SQL_KEY_UNIQUE, $4 ? $4 : $1, $7, $9);
    }
  | index_word opt_ident index_type '(' key_parts ')' index_options {
        $$ = sql_build_key(p, SQL_KEY_INDEX, $2, $5, $7);
    }
  | FULLTEXT key_word_opt opt_ident '(' key_parts ')' index_options {
        $$ = sql_build_key(p, SQL_KEY_FULLTEXT, $3, $5, $7);
    }
  | constraint_opt FOREIGN KEY opt_ident '(' key_parts ')' reference {
        $$ = sql_build_key(p, SQL_KEY_FOREIGN, $1 ? $1 : $4, $6, NONE);
        $$->reference = $8;
    }
  | constraint_opt CHECK '(' expr ')' {
        $$ = sql_build_key(p, SQL_KEY_CHECK, $1, NONE, NONE);
        $$->check = $4;
    }
  ;

key_word_opt: %empty | index_word ;
index_type: %empty | USING IDENT ;

key_parts:
    key_part { $$ = FIRST($1); }
  | key_parts ',' key_part { $$ = ADD($1, $3); }
  ;

key_part:
    ident direction {
        $$ = sql_build_name_entry(p, $1, @1);
        $$->is_desc = $2 == 2;
    }
  | ident '(' INTEGER ')' direction {
        $$ = sql_build_name_entry(p, $1, @1);
        $$->prefix = (uint32_t)sql_build_size(p, $3, @3);
        $$->is_desc = $5 == 2;
    }
  ;

index_options:
    %empty { $$ = NONE; }
  | index_options COMMENT text_literal { $$ = ADD($1, sql_build_option(p, "COMMENT", $3)); }
  | index_options USING IDENT {
        $$ = ADD($1, sql_build_option(p, "USING", sql_build_word(p, NAME($3), @3)));
    }
  | index_options IDENT option_sign option_value {
        $$ = ADD($1, sql_build_option(p, NAME($2), $4));
    }
  ;

table_options:
    %empty { $$ = NONE; }
  | table_options_some
  ;

table_options_some:
    table_option { $$ = FIRST($1); }
  | table_options_some table_option { $$ = ADD($1, $2); }
  | table_options_some ',' table_option { $$ = ADD($1, $3); }
  ;

table_option:
    option_key option_sign option_value { $$ = sql_build_option(p, $1, $3); }
  ;

option_key:
    word { $$ = NAME($1); }
  | CHARACTER SET { $$ = "CHARSET"; }
  | CHAR SET { $$ = "CHARSET"; }
  | DEFAULT charset_word { $$ = "CHARSET"; }
  | COLLATE { $$ = "COLLATE"; }
  | DEFAULT COLLATE { $$ = "COLLATE"; }
  | INDEX IDENT { $$ = PAIR(NAME($1), NAME($2)); }
  ;

drop_stmt:
    DROP temporary_opt TABLE if_exists table_name_list drop_mode {
        $$ = sql_build_drop(p, $5, $4, false);
        $$->u.drop->is_temporary = $2;
    }
  | DROP VIEW if_exists table_name_list drop_mode { $$ = sql_build_drop(p, $4, $3, true); }
  | DROP DATABASE if_exists ident {
        $$ = sql_build_database(p, SQL_STMT_DROP_DATABASE, $4, $3, NONE);
    }
  | DROP INDEX ident ON table_name {
        struct sql_index *index = NEW(sql_index);
        index->table = *$5;
        index->name = $3;
        $$ = STMT(DROP_INDEX, index);
    }
  | TRUNCATE table_name { $$ = STMT(TRUNCATE, $2); }
  | TRUNCATE TABLE table_name { $$ = STMT(TRUNCATE, $3); }
  ;

drop_mode: %empty | RESTRICT | CASCADE ;

alter_stmt:
    ALTER TABLE table_name alter_list {
        struct sql_alter *alter = NEW(sql_alter);
        alter->table = *$3;
        alter->actions = $4.head;
        $$ = STMT(ALTER_TABLE, alter);
    }
  | ALTER TABLE table_name partition_action PARTITION name_list {
        struct sql_alter *alter = NEW(sql_alter);
        alter->table = *$3;
        alter->actions = $4;
        alter->actions->names = $6.head;
        $$ = STMT(ALTER_TABLE, alter);
    }
  | RENAME TABLE rename_list { $$ = STMT(RENAME_TABLE, $3.head); }
  ;

partition_action:
    DROP { $$ = ALTER_NODE(DROP_PARTITION); }
  | ARCHIVE { $$ = ALTER_NODE(ARCHIVE_PARTITION); }
  | RESTORE { $$ = ALTER_NODE(RESTORE_PARTITION); }
  ;

rename_list:
    rename_pair { $$ = FIRST($1); }
  | rename_list ',' rename_pair { $$ = ADD($1, $3); }
  ;

rename_pair:
    table_name TO table_name {
        $$ = NEW(sql_rename);
        $$->from = *$1;
        $$->to = *$3;
    }
  ;

alter_list:
    alter_action { $$ = FIRST($1); }
  | alter_list ',' alter_action { $$ = ADD($1, $3); }
  ;

alter_action:
    ADD column_opt if_not_exists column_def column_place {
        $$ = sql_build_alter_column(p, SQL_ALTER_ADD_COLUMN, NULL, $4, $5);
        $$->if_exists = $3;
    }
  | ADD table_key {
        $$ = ALTER_NODE(ADD_KEY);
        $$->key = $2;
    }
  | DROP column_opt if_exists ident {
        $$ = ALTER_NODE(DROP_COLUMN);
        $$->if_exists = $3;
        $$->name = $4;
    }
  | DROP index_word ident {
        $$ = ALTER_NODE(DROP_KEY);
        $$->key_kind = SQL_KEY_INDEX;
        $$->name = $3;
    }
  | DROP CONSTRAINT ident {
        $$ = ALTER_NODE(DROP_KEY);
        $$->key_kind = SQL_KEY_CHECK;
        $$->name = $3;
    }
  | DROP PRIMARY KEY {
        $$ = ALTER_NODE(DROP_KEY);
        $$->key_kind = SQL_KEY_PRIMARY;
    }
  | DROP FOREIGN KEY ident {
        $$ = ALTER_NODE(DROP_KEY);
        $$->key_kind = SQL_KEY_FOREIGN;
        $$->name = $4;
    }
  | MODIFY column_opt column_def column_place {
        $$ = sql_build_alter_column(p, SQL_ALTER_MODIFY_COLUMN, NULL, $3, $4);
    }
  | CHANGE column_opt ident column_def column_place {
        $$ = sql_build_alter_column(p, SQL_ALTER_CHANGE_COLUMN, $3, $4, $5);
    }
  | RENAME COLUMN ident TO ident {
        $$ = ALTER_NODE(RENAME_COLUMN);
        $$->name = $3;
        $$->new_name = $5;
    }
  | ALTER column_opt ident SET DEFAULT default_value {
        $$ = ALTER_NODE(SET_DEFAULT);
        $$->name = $3;
        $$->value = $6;
    }
  | ALTER column_opt ident DROP DEFAULT {
        $$ = ALTER_NODE(SET_DEFAULT);
        $$->name = $3;
    }
  | RENAME rename_to table_name {
        $$ = ALTER_NODE(RENAME_TABLE);
        $$->table = $3;
    }
  | ENABLE KEYS { $$ = ALTER_NODE(KEYS); $$->name = "ENABLE"; }
  | DISABLE KEYS { $$ = ALTER_NODE(KEYS); $$->name = "DISABLE"; }
  | alter_option {
        $$ = ALTER_NODE(OPTION);
        $$->options = $1;
    }
  ;

/* MODIFY, ENABLE and DISABLE begin actions, so an option's key is a plain name here. */
alter_option:
    alter_key option_sign option_value { $$ = sql_build_option(p, $1, $3); }
  ;

alter_key:
    IDENT { $$ = NAME($1); }
  | ENGINE { $$ = NAME($1); }
  | COMMENT { $$ = NAME($1); }
  | AUTO_INCREMENT { $$ = NAME($1); }
  | charset_word { $$ = "CHARSET"; }
  | DEFAULT charset_word { $$ = "CHARSET"; }
  | COLLATE { $$ = "COLLATE"; }
  | DEFAULT COLLATE { $$ = "COLLATE"; }
  ;

column_opt: %empty | COLUMN ;
rename_to: %empty | TO | AS ;

column_place:
    %empty { $$ = (struct sql_place){NULL, false}; }
  | FIRST { $$ = (struct sql_place){NULL, true}; }
  | AFTER ident { $$ = (struct sql_place){$2, false}; }
  ;

/* ------------------------------------------------------------------ session ---- */

set_stmt:
    SET set_list { $$ = STMT(SET, $2.head); }
  | SET TRANSACTION transaction_traits { $$ = STMT(SET, $3); }
  | SET scope TRANSACTION transaction_traits {
        $4->scope = $2;
        $$ = STMT(SET, $4);
    }
  | USE ident { $$ = sql_build_database(p, SQL_STMT_USE, $2, false, NONE); }
  ;

set_list:
    set_item { $$ = FIRST($1); }
  | set_list ',' set_item { $$ = ADD($1, $3); }
  ;

set_item:
    USER_VAR assign_sign expr {
        $$ = sql_build_set_item(p, SQL_SET_USER_VAR, SQL_SCOPE_NONE, NAME($1), $3);
    }
  | SYS_VAR assign_sign set_value {
        struct sql_expr *target = sql_build_sys_var(p, $1, @1);
        $$ = sql_build_set_item(p, SQL_SET_SYS_VAR, target->op, target->v.name, $3);
    }
  | set_name assign_sign set_value {
        $$ = sql_build_set_item(p, SQL_SET_SYS_VAR, SQL_SCOPE_NONE, $1, $3);
    }
  | scope set_name assign_sign set_value {
        $$ = sql_build_set_item(p, SQL_SET_SYS_VAR, $1, $2, $4);
    }
  | NAMES set_charset collate_opt {
        $$ = sql_build_set_item(p, SQL_SET_NAMES, SQL_SCOPE_NONE, NULL, $2);
        $$->collation = $3;
    }
  | charset_word set_charset {
        $$ = sql_build_set_item(p, SQL_SET_CHARSET, SQL_SCOPE_NONE, NULL, $2);
    }
  | PASSWORD FOR user_name '=' expr {
        $$ = sql_build_set_item(p, SQL_SET_PASSWORD, SQL_SCOPE_NONE, $3, $5);
    }
  ;

set_name:
    ident
  | ident '.' ident { $$ = sql_build_pair(p, $1, '.', $3); }
  ;

set_value:
    expr { $$ = sql_build_set_value($1); }
  | DEFAULT { $$ = sql_build_leaf(p, SQL_EXPR_DEFAULT, @$); }
  | ON { $$ = sql_build_word(p, "ON", @$); }
  | ALL { $$ = sql_build_word(p, "ALL", @$); }
  | BINARY { $$ = sql_build_word(p, "binary", @$); }
  ;

set_charset:
    charset_name { $$ = sql_build_word(p, $1, @$); }
  | DEFAULT { $$ = sql_build_leaf(p, SQL_EXPR_DEFAULT, @$); }
  ;

collate_opt: %empty { $$ = NULL; } | COLLATE collation_name { $$ = $2; } ;

scope:
    SESSION { $$ = SQL_SCOPE_SESSION; }
  | LOCAL { $$ = SQL_SCOPE_SESSION; }
  | GLOBAL { $$ = SQL_SCOPE_GLOBAL; }
  | PERSIST { $$ = SQL_SCOPE_PERSIST; }
  ;

scope_opt:
    %empty { $$ = SQL_SCOPE_NONE; }
  | scope
  ;

transaction_traits:
    transaction_trait
  | transaction_traits ',' transaction_trait {
        $$ = $1;
        $$->name = $3->name ? $3->name : $$->name;
        $$->access = $3->access ? $3->access : $$->access;
    }
  ;

transaction_trait:
    ISOLATION LEVEL isolation {
        $$ = sql_build_set_item(p, SQL_SET_TRANSACTION, SQL_SCOPE_NONE, $3, NULL);
    }
  | READ ONLY {
        $$ = sql_build_set_item(p, SQL_SET_TRANSACTION, SQL_SCOPE_NONE, NULL, NULL);
        $$->access = "READ ONLY";
    }
  | READ WRITE {
        $$ = sql_build_set_item(p, SQL_SET_TRANSACTION, SQL_SCOPE_NONE, NULL, NULL);
        $$->access = "READ WRITE";
    }
  ;

isolation:
    READ UNCOMMITTED { $$ = "READ UNCOMMITTED"; }
  | READ COMMITTED { $$ = "READ COMMITTED"; }
  | REPEATABLE READ { $$ = "REPEATABLE READ"; }
  | SERIALIZABLE { $$ = "SERIALIZABLE"; }
  ;

show_stmt:
    SHOW show_body { $$ = STMT(SHOW, $2); }
  ;

show_body:
    DATABASES show_filter { $$ = SHOW_NODE(DATABASES, $2); }
  | full_opt TABLES show_db show_filter {
        $$ = SHOW_NODE(TABLES, $4);
        $$->is_full = $1;
        $$->db = $3;
    }
  | OPEN TABLES show_db show_filter {
        $$ = SHOW_NODE(OPEN_TABLES, $4);
        $$->db = $3;
    }
  | TABLE STATUS show_db show_filter {
        $$ = SHOW_NODE(TABLE_STATUS, $4);
        $$->db = $3;
    }
  | full_opt COLUMNS from_word table_name show_db show_filter {
        $$ = sql_build_show_table(p, SQL_SHOW_COLUMNS, $6, $4, $5);
        $$->is_full = $1;
    }
  | show_index from_word table_name show_db show_filter {
        $$ = sql_build_show_table(p, SQL_SHOW_INDEX, $5, $3, $4);
    }
  | CREATE TABLE table_name {
        $$ = sql_build_show_table(p, SQL_SHOW_CREATE_TABLE, NULL, $3, NULL);
    }
  | CREATE VIEW table_name {
        $$ = sql_build_show_table(p, SQL_SHOW_CREATE_VIEW, NULL, $3, NULL);
    }
  | CREATE DATABASE if_not_exists ident {
        $$ = SHOW_NODE(CREATE_DATABASE, NULL);
        $$->if_not_exists = $3;
        $$->db = $4;
    }
  | CREATE show_object table_name {
        $$ = sql_build_show_table(p, SQL_SHOW_CREATE_OTHER, NULL, $3, NULL);
        $$->what = NAME($2);
    }
  | scope_opt VARIABLES show_filter {
        $$ = SHOW_NODE(VARIABLES, $3);
        $$->scope = $1;
    }
  | scope_opt STATUS show_filter {
        $$ = SHOW_NODE(STATUS, $3);
        $$->scope = $1;
    }
  | WARNINGS limit_opt { $$ = SHOW_NODE(WARNINGS, NULL); $$->limit = $2; }
  | ERRORS limit_opt { $$ = SHOW_NODE(ERRORS, NULL); $$->limit = $2; }
  | IDENT '(' '*' ')' WARNINGS { $$ = sql_build_show_count(p, $1, SQL_SHOW_COUNT_WARNINGS, @1); }
  | IDENT '(' '*' ')' ERRORS { $$ = sql_build_show_count(p, $1, SQL_SHOW_COUNT_ERRORS, @1); }
  | ENGINE label STATUS {
        $$ = SHOW_NODE(ENGINE, NULL);
        $$->what = $2;
    }
  | charset_word show_filter { $$ = SHOW_NODE(CHARSET, $2); }
  | COLLATION show_filter { $$ = SHOW_NODE(COLLATION, $2); }
  | full_opt PROCESSLIST { $$ = SHOW_NODE(PROCESSLIST, NULL); $$->is_full = $1; }
  | GRANTS { $$ = SHOW_NODE(GRANTS, NULL); }
  | GRANTS FOR user_name { $$ = SHOW_NODE(GRANTS, NULL); $$->what = $3; }
  | PROCEDURE STATUS show_filter { $$ = SHOW_NODE(PROCEDURE_STATUS, $3); }
  | IDENT show_db show_filter {
        $$ = sql_build_show_words(p, $3, NAME($1), @1);
        $$->db = $2;
    }
  | show_words show_filter { $$ = sql_build_show_words(p, $2, $1, @1); }
  ;

full_opt:
    %empty { $$ = false; }
  | FULL { $$ = true; }
  | EXTENDED { $$ = false; }
  | EXTENDED FULL { $$ = true; }
  ;

/* Words that sql_build_show_words() knows. */
show_words:
    IDENT STATUS { $$ = PAIR(NAME($1), "STATUS"); }
  | IDENT IDENT { $$ = PAIR(NAME($1), NAME($2)); }
  | IDENT IDENT STATUS { $$ = PAIR(PAIR(NAME($1), NAME($2)), "STATUS"); }
  | BINARY IDENT { $$ = PAIR("BINARY", NAME($2)); }
  | BINARY IDENT STATUS { $$ = PAIR(PAIR("BINARY", NAME($2)), "STATUS"); }
  ;

show_index: INDEX | INDEXES | KEYS ;
show_object: IDENT | PROCEDURE | TRIGGER ;
from_word: FROM | IN ;
show_db: %empty { $$ = NULL; } | from_word ident { $$ = $2; } ;

show_filter:
    %empty { $$ = NULL; }
  | LIKE STRING {
        $$ = NEW(sql_show);
        $$->like = NAME($2);
        $$->like_length = $2.length;
    }
  | WHERE expr {
        $$ = NEW(sql_show);
        $$->where = $2;
    }
  ;

/* user or user@host without quotes; NULL for the current user. */
user_name:
    label
  | label USER_VAR { $$ = sql_build_user(p, $1, $2); }
  | CURRENT_USER { $$ = NULL; }
  | CURRENT_USER '(' ')' { $$ = NULL; }
  ;

describe_stmt:
    describe_word table_name {
        $$ = STMT(DESCRIBE, sql_build_show_table(p, SQL_SHOW_COLUMNS, NULL, $2, NULL));
    }
  | describe_word table_name label {
        struct sql_show *show = sql_build_show_table(p, SQL_SHOW_COLUMNS, NULL, $2, NULL);
        show->like = $3;
        show->like_length = sql_build_text_of($3).length;
        $$ = STMT(DESCRIBE, show);
    }
  | describe_word explain_options explainable {
        $2->stmt = $3;
        $$ = STMT(EXPLAIN, $2);
    }
  | describe_word explain_format FOR CONNECTION INTEGER {
        $2->connection = (int64_t)($5 & INT64_MAX);
        $$ = STMT(EXPLAIN, $2);
    }
  ;

describe_word: DESCRIBE | DESC | EXPLAIN ;

explain_options:
    explain_format
  | ANALYZE explain_format { $$ = $2; $$->is_analyze = true; }
  | EXTENDED { $$ = sql_build_explain(p); $$->is_extended = true; }
  | PARTITIONS { $$ = sql_build_explain(p); $$->is_extended = true; }
  ;

explain_format:
    %empty { $$ = sql_build_explain(p); }
  | FORMAT '=' label {
        $$ = sql_build_explain(p);
        $$->format = sql_build_explain_format(p, $3, @3);
    }
  ;

explainable: select_stmt | insert_stmt | update_stmt | delete_stmt ;

transaction_stmt:
    BEGIN work_opt { $$ = STMT(BEGIN, NEW(sql_transaction)); }
  | START TRANSACTION { $$ = STMT(BEGIN, NEW(sql_transaction)); }
  | START TRANSACTION start_options { $$ = STMT(BEGIN, $3); }
  | COMMIT work_opt chain_opt { $$ = STMT(COMMIT, $3); }
  | ROLLBACK work_opt chain_opt { $$ = STMT(ROLLBACK, $3); }
  | ROLLBACK work_opt TO ident { $$ = SAVEPOINT_STMT(ROLLBACK, $4); }
  | ROLLBACK work_opt TO SAVEPOINT ident { $$ = SAVEPOINT_STMT(ROLLBACK, $5); }
  | SAVEPOINT ident { $$ = SAVEPOINT_STMT(SAVEPOINT, $2); }
  | RELEASE SAVEPOINT ident { $$ = SAVEPOINT_STMT(RELEASE, $3); }
  ;

work_opt: %empty | WORK ;

start_options:
    start_option
  | start_options ',' start_option {
        $$ = $1;
        $$->is_read_only |= $3->is_read_only;
        $$->is_read_write |= $3->is_read_write;
        $$->with_snapshot |= $3->with_snapshot;
    }
  ;

start_option:
    READ ONLY { $$ = NEW(sql_transaction); $$->is_read_only = true; }
  | READ WRITE { $$ = NEW(sql_transaction); $$->is_read_write = true; }
  | WITH CONSISTENT SNAPSHOT { $$ = NEW(sql_transaction); $$->with_snapshot = true; }
  ;

chain_opt:
    chain_part release_part {
        $$ = NEW(sql_transaction);
        $$->and_chain = $1;
        $$->release = $2;
    }
  ;

chain_part: %empty { $$ = false; } | AND CHAIN { $$ = true; } | AND NO CHAIN { $$ = false; } ;
release_part: %empty { $$ = false; } | RELEASE { $$ = true; } | NO RELEASE { $$ = false; } ;

lock_stmt:
    LOCK tables_word lock_list { $$ = STMT(LOCK_TABLES, $3.head); }
  | UNLOCK tables_word { $$ = STMT(UNLOCK_TABLES, NULL); }
  ;

tables_word: TABLE | TABLES ;

lock_list:
    lock_entry { $$ = FIRST($1); }
  | lock_list ',' lock_entry { $$ = ADD($1, $3); }
  ;

lock_entry:
    table_name table_alias lock_mode {
        $$ = $1;
        $$->alias = $2;
        $$->is_write = $3;
    }
  ;

lock_mode:
    READ { $$ = false; }
  | READ LOCAL { $$ = false; }
  | WRITE { $$ = true; }
  | LOW_PRIORITY WRITE { $$ = true; }
  ;

prepare_stmt:
    PREPARE ident FROM prepare_source { $$ = PREPARE_STMT(PREPARE, $2, $4, NONE); }
  | EXECUTE ident { $$ = PREPARE_STMT(EXECUTE, $2, NULL, NONE); }
  | EXECUTE ident USING user_var_list { $$ = PREPARE_STMT(EXECUTE, $2, NULL, $4); }
  | DEALLOCATE PREPARE ident { $$ = PREPARE_STMT(DEALLOCATE, $3, NULL, NONE); }
  | DROP PREPARE ident { $$ = PREPARE_STMT(DEALLOCATE, $3, NULL, NONE); }
  ;

prepare_source:
    text_literal
  | USER_VAR { $$ = sql_build_user_var(p, $1, @$); }
  ;

admin_stmt:
    maintain_kind maintain_log TABLE table_name_list maintain_words {
        struct sql_maintain *maintain = NEW(sql_maintain);
        maintain->kind = $1;
        maintain->tables = $4.head;
        $$ = STMT(MAINTAIN, maintain);
    }
  | CALL table_name { $$ = sql_build_call_stmt(p, SQL_STMT_CALL, $2, NONE); }
  | CALL table_name '(' ')' { $$ = sql_build_call_stmt(p, SQL_STMT_CALL, $2, NONE); }
  | CALL table_name '(' expr_list ')' { $$ = sql_build_call_stmt(p, SQL_STMT_CALL, $2, $4); }
  | DO expr_list { $$ = sql_build_call_stmt(p, SQL_STMT_DO, NULL, $2); }
  | KILL limit_value { $$ = sql_build_kill(p, false, $2); }
  | KILL CONNECTION limit_value { $$ = sql_build_kill(p, false, $3); }
  | KILL QUERY limit_value { $$ = sql_build_kill(p, true, $3); }
  | FLUSH flush_words { $$ = sql_build_flush(p, NONE, $2); }
  | FLUSH tables_word { $$ = sql_build_flush(p, NONE, "TABLES"); }
  | FLUSH tables_word table_name_list { $$ = sql_build_flush(p, $3, "TABLES"); }
  | FLUSH tables_word WITH READ LOCK {
        $$ = sql_build_flush(p, NONE, "TABLES WITH READ LOCK");
    }
  ;

maintain_kind:
    ANALYZE { $$ = SQL_MAINTAIN_ANALYZE; }
  | OPTIMIZE { $$ = SQL_MAINTAIN_OPTIMIZE; }
  | CHECK { $$ = SQL_MAINTAIN_CHECK; }
  | IDENT { $$ = sql_build_maintain_kind(p, $1, @1); }
  ;

maintain_log: %empty | LOCAL ;
maintain_words: %empty | maintain_words IDENT | maintain_words EXTENDED | maintain_words FOR IDENT ;

flush_words:
    flush_word { $$ = NAME($1); }
  | flush_words flush_word { $$ = PAIR($1, NAME($2)); }
  | flush_words ',' flush_word { $$ = PAIR($1, NAME($3)); }
  ;

flush_word: IDENT | STATUS | LOCAL | ENGINE | BINARY ;

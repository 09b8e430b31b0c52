-- A client of bench/crowd.py, as sysbench runs it: reads by key through a prepared statement, reads of text, groups,
-- inserts, updates and deletes of rows of its own, a connection made anew now and then. Any error ends it.
sysbench.cmdline.options = {
    rows = {"Rows made before", 100000},
    again = {"Connect again after so many events", 200},
}

local function open()
    con = drv:connect()
    by_key = con:prepare("SELECT pad FROM crowd WHERE id = ?")
    key = by_key:bind_create(sysbench.sql.type.INT)
    by_key:bind_param(key)
end

local function close()
    by_key:close()
    con:disconnect()
end

function thread_init()
    drv = sysbench.sql.driver()
    events, inserted = 0, 0
    first = sysbench.opt.rows + 1 + sysbench.tid * 1000000
    open()
end

function thread_done()
    close()
end

local function a_row()
    return sysbench.rand.uniform(1, sysbench.opt.rows)
end

local function select_key()
    key:set(a_row())
    by_key:execute()
end

local function select_text()
    local found = con:query("SELECT pad FROM crowd WHERE id = " .. a_row())
    assert(found:fetch_row()[1], "a row of the first ones is missing")
end

local function select_range()
    local from = a_row()
    con:query("SELECT id, n, pad FROM crowd WHERE id BETWEEN " .. from .. " AND " .. from + 50 .. " ORDER BY n, id LIMIT 20")
end

local function select_groups()
    con:query("SELECT kind, count(*), sum(n), max(n) FROM crowd WHERE n < " .. sysbench.rand.uniform(1, 1000) ..
        " GROUP BY kind ORDER BY 2 DESC LIMIT 5")
end

local function insert()
    con:query("INSERT INTO crowd VALUES (" .. first + inserted .. ", 5, 'mine', '" .. sysbench.rand.string("@@@@@@@@") .. "')")
    inserted = inserted + 1
end

local function change()
    if inserted == 0 then
        return insert()
    end
    con:query("UPDATE crowd SET n = n + 1 WHERE id = " .. first + inserted - 1)
    local found = con:query("SELECT n FROM crowd WHERE id = " .. first + inserted - 1)
    assert(tonumber(found:fetch_row()[1]) > 5, "an update is not seen")
end

local function delete()
    if inserted > 0 then
        inserted = inserted - 1
        con:query("DELETE FROM crowd WHERE id = " .. first + inserted)
    end
end

local works = {select_key, select_key, select_key, select_text, select_range, select_range, select_groups, insert, change,
    delete}

function event()
    events = events + 1
    works[sysbench.rand.uniform(1, #works)]()
    if events % sysbench.opt.again == 0 then
        close()
        open()
    end
end

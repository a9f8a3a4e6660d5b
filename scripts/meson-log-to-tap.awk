# Turns Meson's testlog.txt into `ok NAME` and `not ok NAME` lines: one a cmocka test, one a program that is no cmocka test.
# A program that failed without naming a failed test (it crashed, or a sanitizer spoke) is one failure of its own.

function flush_program(    test)
{
    if (program == "")
        return
    for (test in passed)
        print "ok " program ": " test
    for (test in failed)
        print "not ok " program ": " test
    for (test in skipped)
        print "ok " program ": " test " # SKIP"
    if (is_bad && length(failed) == 0)
        print "not ok " program " (" result ")"
    else if (!is_bad && length(passed) + length(failed) + length(skipped) == 0)
        print "ok " program
    program = ""
}

/^test: / {
    flush_program()
    program = $0
    sub(/^test: +([^:]*:)?/, "", program)
    gsub(/ /, "", program)
    split("", passed)
    split("", failed)
    split("", skipped)
    is_bad = 1 # until its result line says otherwise
    result = "no result"
}
/^result: / {
    result = $0
    sub(/^result: +/, "", result)
    is_bad = result != "exit status 0"
}
/^\[       OK \] / { passed[$4] }
/^\[  FAILED  \] / && !/test\(s\)/ { failed[$4] }
/^\[  SKIPPED \] / && !/test\(s\)/ { skipped[$4] }
END { flush_program() }

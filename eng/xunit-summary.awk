# Reads the XML report that xunit v3 writes and prints
#   totals <passed> <failed> <skipped>
#   skip <tab> <test> <tab> <reason>      one line a skipped test
# A record ends at each '<': in well-formed XML that character starts a tag everywhere but inside
# CDATA, and there it can only start a record that none of the patterns below is waiting for.

BEGIN { RS = "<" }

function attribute(name,    value) {
    if (!match($0, "[ \n]" name "=\"[^\"]*\"")) return ""
    value = substr($0, RSTART, RLENGTH)
    sub(/^[^"]*"/, "", value)
    sub(/"$/, "", value)
    return plain(value)
}

function plain(text) {
    gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text)
    gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
    gsub(/&#x[0-9A-Fa-f]+;/, " ", text)
    gsub(/&amp;/, "\\&", text)
    gsub(/[ \t\r\n]+/, " ", text)
    return text
}

/^assembly / && !seen {
    seen = 1
    # Errors are failures outside a test, for instance in a fixture's clean-up.
    passed = attribute("passed") + 0
    failed = attribute("failed") + attribute("errors")
    skipped = attribute("skipped") + 0
}

/^test / { test = attribute("name"); skip = attribute("result") == "Skip" }

/^reason/ && skip && !waiting { waiting = 1; reason = "" }

# Inside CDATA a '<' is only text, so a reason may be spread over several records.
waiting && (reason != "" || /^!\[CDATA\[/) {
    reason = reason (reason == "" ? "" : "<") $0
    if (reason ~ /\]\]>[ \t\r\n]*$/) {
        sub(/^!\[CDATA\[/, "", reason)
        sub(/\]\]>[ \t\r\n]*$/, "", reason)
        gsub(/[ \t\r\n]+/, " ", reason)
        print "skip\t" test "\t" reason
        waiting = 0
    }
}

END { if (seen) print "totals " passed " " failed " " skipped }

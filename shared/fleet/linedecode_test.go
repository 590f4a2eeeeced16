package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Lines of one frame share seconds and memory; each comes back as it was, and the position after any of them is the sum of all.
func TestLinesRoundTrip(t *testing.T) {
	var d LineDecoder
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(anyLine(), 0, 20).Draw(t, "lines")
		for i := range lines[min(len(lines), 1):] {
			if rapid.Bool().Draw(t, "same second") {
				lines[i+1].Time = lines[0].Time.Truncate(time.Second).Add(time.Duration(i) * time.Microsecond)
			}
		}
		b := AppendLines([]byte(`[`), lines)
		var slow []LogLine
		if err := json.Unmarshal(append(b, ']'), &slow); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		fast, n, ok := d.Decode(append(b, "] and more"...)[1:])
		if !ok || n != len(b)-1 || len(fast) != len(lines) || len(slow) != len(lines) {
			t.Fatalf("%s: %v, %d of %d bytes, %d and %d lines of %d", b, ok, n, len(b)-1, len(fast), len(slow), len(lines))
		}
		known := rapid.IntRange(0, len(lines)).Draw(t, "known")
		at := LogPosition{LastSeq: 7, Bytes: 8, CRC32C: 9}
		want := at
		for i := range lines {
			if fast[i] != lines[i] || slow[i] != lines[i] {
				t.Fatalf("line %d: %+v and %+v, want %+v", i, fast[i], slow[i], lines[i])
			}
			if i >= known {
				want = want.Add(lines[i])
			}
		}
		if got := d.After(at, known); got != want {
			t.Fatalf("position %+v, want %+v", got, want)
		}
	})
}

// FuzzLineDecoder: what the decoder takes, encoding/json takes too, and reads the same.
func FuzzLineDecoder(f *testing.F) {
	one := LogLine{Time: time.Unix(1_700_000_000, 5000).UTC(), Stream: StreamOut, Text: "a \"quoted\" \x01\ttext"}
	two := LogLine{Time: time.Unix(1_700_000_000, 0).UTC(), Stream: StreamErr, Text: "\xff", Cont: true}
	f.Add(AppendLines(nil, []LogLine{one, two, one}))
	f.Add([]byte(strings.ReplaceAll(string(AppendLines(nil, []LogLine{one, two})), "},{", "}{")))
	f.Add(append(AppendLines(nil, []LogLine{one}), ','))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !utf8.Valid(b) {
			t.Skip() // the caller's promise
		}
		fast, n, ok := new(LineDecoder).Decode(b)
		if !ok {
			return
		}
		var slow []LogLine
		if err := json.Unmarshal(fmt.Appendf(nil, "[%s]", b[:n]), &slow); err != nil || len(slow) != len(fast) {
			t.Fatalf("%q: %d lines, encoding/json %d, %v", b[:n], len(fast), len(slow), err)
		}
		for i := range fast {
			if fast[i] != slow[i] {
				t.Fatalf("line %d: %+v, encoding/json %+v", i, fast[i], slow[i])
			}
		}
	})
}

func benchLines(n int) []LogLine {
	lines := make([]LogLine, n)
	for i := range lines {
		lines[i] = LogLine{Time: time.UnixMicro(1_700_000_000_000_000 + int64(i)*125).UTC(), Stream: StreamOut,
			Text: fmt.Sprintf(`{"message_type":"verbose_status","action":"new","item":"/home/user/some/long/path/file-%d.txt","duration":0.000123,"data_size":%d,"total_files":0}`, i, i*77)}
	}
	return lines
}

func BenchmarkAppendLines(b *testing.B) {
	lines := benchLines(500)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendLines(buf[:0], lines)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(lines)), "ns/line")
}

func BenchmarkLineDecoder(b *testing.B) {
	lines := benchLines(500)
	buf := append(AppendLines(nil, lines), ']')
	var d LineDecoder
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := d.Decode(buf); !ok {
			b.Fatal("not read")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(lines)), "ns/line")
}

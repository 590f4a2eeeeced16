package fleet

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var lineStreams = []LogStream{StreamOut, StreamErr, StreamNote, StreamGap}

func anyLine() *rapid.Generator[LogLine] {
	return rapid.Custom(func(t *rapid.T) LogLine {
		text := rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringMatching(`\{"message_type":"[a-z_]+","item":"/[a-z\\"/]*"\}`),
		).Draw(t, "text")
		return LogLine{
			Time:   time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "time")).UTC(),
			Stream: rapid.SampledFrom(lineStreams).Draw(t, "stream"),
			Text:   text,
			Cont:   rapid.Bool().Draw(t, "cont"),
		}
	})
}

// What AppendJSON writes by hand is what encoding/json reads, and every byte of the text comes back.
func TestLogLineRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { roundTrip(t, anyLine().Draw(t, "line")) })
}

type failer interface{ Fatalf(string, ...any) }

func roundTrip(t failer, l LogLine) {
	raw := l.AppendJSON([]byte("x"))
	if raw[0] != 'x' {
		t.Fatalf("AppendJSON overwrote what was there")
	}
	raw = raw[1:]
	if !json.Valid(raw) || bytes.ContainsAny(raw, "\n\r") {
		t.Fatalf("not one line of JSON: %q", raw)
	}
	var got LogLine
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if got != l {
		t.Fatalf("%+v came back as %+v", l, got)
	}
	var free map[string]any
	if err := json.Unmarshal(raw, &free); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if utf8.ValidString(l.Text) && free["m"] != l.Text {
		t.Fatalf("encoding/json reads %q, the text is %q", free["m"], l.Text)
	}
	if _, binary := free["b"]; binary == utf8.ValidString(l.Text) {
		t.Fatalf("%s: the wrong one of m and b", raw)
	}
	again, err := json.Marshal(l)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	var second LogLine // json.Marshal compacts and escapes what a Marshaler gives; it must mean the same
	if err := json.Unmarshal(again, &second); err != nil || second != l {
		t.Fatalf("%s: %+v, %v", again, second, err)
	}
}

func FuzzLogLine(f *testing.F) {
	for _, s := range []string{"", "x", "\x00\x1f\x7f", "\"\\\t\r\n\b\f", "\xff\xfe", "\u2028\u2029<>&", "\U0001F600", "\ufffd", "a\xc3"} {
		f.Add(s, int64(1_700_000_000_000_001), uint8(1), true)
	}
	f.Fuzz(func(t *testing.T, text string, micros int64, stream uint8, cont bool) {
		if len(text) > MaxLineText || micros < 0 || micros > 4e15 {
			t.Skip()
		}
		roundTrip(t, LogLine{Time: time.UnixMicro(micros).UTC(), Stream: lineStreams[int(stream)%len(lineStreams)], Text: text, Cont: cont})
	})
}

func FuzzLogLineDecode(f *testing.F) {
	f.Add([]byte(`{"t":"2026-11-23T19:00:00.000001Z","s":"out","m":"x"}`))
	f.Add([]byte(`{"t":"2026-11-23T19:00:00Z","s":"err","b":"/w==","c":true}`))
	f.Add([]byte(`{"t":"2026-11-23T19:00:00Z","s":"err","b":"/w==","m":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l LogLine
		if json.Unmarshal(b, &l) != nil {
			return
		}
		if len(l.Text) > MaxLineText || l.Time.Location() != time.UTC {
			t.Fatalf("%q was taken as %+v", b, l)
		}
		l.Time = l.Time.Truncate(time.Microsecond)
		if y := l.Time.Year(); y >= 0 && y <= 9999 {
			roundTrip(t, l)
		}
	})
}

func TestLogLineRefuses(t *testing.T) {
	long, err := json.Marshal(strings.Repeat("x", MaxLineText+1))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{
		`{}`, `[]`, `"x"`, `{"t":"2026-11-23T19:00:00Z","s":"out"}`,
		`{"t":"2026-11-23T19:00:00Z","s":"out","m":"x","b":"eA=="}`,
		`{"t":"2026-11-23T19:00:00Z","s":"out","b":"?"}`,
		`{"t":"2026-11-23T19:00:00Z","s":"in","m":"x"}`,
		`{"t":"2026-11-23T19:00:00Z","m":"x"}`,
		`{"t":"yesterday","s":"out","m":"x"}`,
		`{"t":"2026-11-23T19:00:00Z","s":"out","m":` + string(long) + `}`,
	} {
		var l LogLine
		if err := json.Unmarshal([]byte(in), &l); err == nil {
			t.Errorf("%.80s was taken as %+v", in, l)
		}
	}
	var l LogLine
	if err := json.Unmarshal([]byte(`{"t":"2026-11-23T20:00:00+01:00","s":"out","m":"","later":1}`), &l); err != nil {
		t.Errorf("an unknown field: %v", err)
	}
	if want := (LogLine{Time: time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC), Stream: StreamOut}); !reflect.DeepEqual(l, want) {
		t.Errorf("got %+v, want %+v", l, want)
	}
}

// The position counts restic's bytes, whatever pieces a long line was kept in.
func TestLogPosition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.String(), 0, 20).Draw(t, "texts")
		var whole bytes.Buffer
		var p LogPosition
		pieces := int64(0)
		for _, text := range texts {
			whole.WriteString(text)
			whole.WriteByte('\n')
			for cut := rapid.IntRange(0, 3).Draw(t, "cuts"); cut > 0 && len(text) > 0; cut-- {
				n := rapid.IntRange(0, len(text)).Draw(t, "at")
				p = p.Add(LogLine{Stream: StreamErr, Text: text[:n], Cont: true})
				text = text[n:]
				pieces++
			}
			p = p.Add(LogLine{Stream: StreamOut, Text: text})
			pieces++
		}
		want := LogPosition{LastSeq: pieces, Bytes: int64(whole.Len()), CRC32C: crc32.Checksum(whole.Bytes(), crc32.MakeTable(crc32.Castagnoli))}
		if p != want {
			t.Fatalf("got %+v, want %+v", p, want)
		}
	})
	// The digits are the check value of CRC-32C.
	if p := (LogPosition{}).Add(LogLine{Text: "123456789", Cont: true}); p != (LogPosition{LastSeq: 1, Bytes: 9, CRC32C: 0xe3069283}) {
		t.Errorf("got %+v", p)
	}
}

package agentwire

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

func slowly(frame []byte) (fleet.JobID, LogStream, error) {
	e, err := Decode(frame)
	if err != nil {
		return "", LogStream{}, err
	}
	m, err := Payload[LogStream](e)
	return e.JobID, m, err
}

func someLines() []fleet.LogLine {
	at := time.Date(2028, 2, 29, 23, 59, 59, 999999000, time.UTC)
	var lines []fleet.LogLine
	for _, text := range []string{"", "plain", "quote \" slash \\ tab \t nl \n cr \r", "\x00\x01\x1f\x7f", "日本語 \u202e ", "not UTF-8 \xff\xfe", strings.Repeat("x", fleet.MaxLineText), "</script>&"} {
		for _, stream := range []fleet.LogStream{fleet.StreamOut, fleet.StreamErr, fleet.StreamNote, fleet.StreamGap} {
			lines = append(lines, fleet.LogLine{Time: at, Stream: stream, Text: text, Cont: stream == fleet.StreamErr})
			at = at.Add(time.Microsecond)
		}
	}
	return lines
}

func TestLogStreamIsReadBothWaysAlike(t *testing.T) {
	lines := someLines()
	for _, part := range [][]fleet.LogLine{nil, lines[:1], lines} {
		frame := AppendLogStream(nil, "slot:p:h:2026", 42, part)
		job, fast, ok := DecodeLogStream(frame)
		sjob, slow, err := slowly(frame)
		if !ok || err != nil || job != sjob || fast.FirstSeq != slow.FirstSeq || len(fast.Lines) != len(part) || len(slow.Lines) != len(part) {
			t.Fatalf("%v %v, %d and %d lines of %d", ok, err, len(fast.Lines), len(slow.Lines), len(part))
		}
		for i := range part {
			if fast.Lines[i] != part[i] || slow.Lines[i] != part[i] {
				t.Fatalf("line %d: %+v, %+v, want %+v", i, fast.Lines[i], slow.Lines[i], part[i])
			}
		}
	}
}

func TestOtherFormsAreLeftToTheDecoder(t *testing.T) {
	good := string(AppendLogStream(nil, "j1", 7, []fleet.LogLine{{Time: time.Unix(0, 0), Stream: fleet.StreamOut, Text: "x"}}))
	if _, _, ok := DecodeLogStream([]byte(good)); !ok {
		t.Fatal("the good one is not read")
	}
	for name, frame := range map[string]string{
		"a blank":         strings.Replace(good, `"v":1,`, `"v": 1,`, 1),
		"another version": strings.Replace(good, `"v":1,`, `"v":2,`, 1),
		"another type":    strings.Replace(good, "log.stream", "log.streams", 1),
		"bad id":          strings.Replace(good, "j1", "../x", 1),
		"no number":       strings.Replace(good, ":7,", ":,", 1),
		"leading zero":    strings.Replace(good, ":7,", ":07,", 1),
		"negative":        strings.Replace(good, ":7,", ":-7,", 1),
		"fraction":        strings.Replace(good, ":7,", ":7.5,", 1),
		"bad month":       strings.Replace(good, "1970-01", "1970-13", 1),
		"no such day":     strings.Replace(good, "1970-01-01", "1970-02-29", 1),
		"bad stream":      strings.Replace(good, `"out"`, `"oops"`, 1),
		"unknown field":   strings.Replace(good, `"m":"x"`, `"m":"x","z":1`, 1),
		"other escape":    strings.Replace(good, `"m":"x"`, `"m":"\u0041"`, 1),
		"bad UTF-8":       strings.Replace(good, `"m":"x"`, "\"m\":\"\xff\"", 1),
		"bad base64":      strings.Replace(good, `"m":"x"`, `"b":"*"`, 1),
		"control byte":    strings.Replace(good, `"m":"x"`, "\"m\":\"\x01\"", 1),
		"too long":        strings.Replace(good, `"m":"x"`, `"m":"`+strings.Repeat("x", fleet.MaxLineText+1)+`"`, 1),
		"trailing":        good + " ",
		"trailing data":   good + "{}",
		"cut":             good[:len(good)-1],
	} {
		if frame == good {
			t.Fatalf("%s: the test changes nothing", name)
		}
		if _, _, ok := DecodeLogStream([]byte(frame)); ok {
			t.Errorf("%s: was read", name)
		}
	}
}

// FuzzDecodeLogStream: whatever the fast way takes, the slow way takes too, and reads the same.
func FuzzDecodeLogStream(f *testing.F) {
	f.Add(AppendLogStream(nil, "j1", 1, someLines()[:8]))
	f.Add([]byte(`{"v":1,"type":"log.stream","job_id":"j","payload":{"first_seq":1,"lines":[{"t":"2026-01-01T00:00:00.000000Z","s":"out","m":"\u0001\t","c":true}]}}`))
	f.Add([]byte(`{"v":1,"type":"log.stream","job_id":"j","payload":{"first_seq":1,"lines":[{"t":"2026-01-01T00:00:00.000000Z","s":"gap","b":"/w=="}]}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		job, fast, ok := DecodeLogStream(frame)
		if !ok {
			return
		}
		sjob, slow, err := slowly(frame)
		if err != nil || job != sjob || fast.FirstSeq != slow.FirstSeq || len(fast.Lines) != len(slow.Lines) {
			t.Fatalf("%v: %q\n%+v\n%+v", err, frame, fast, slow)
		}
		for i := range fast.Lines {
			if !reflect.DeepEqual(fast.Lines[i], slow.Lines[i]) {
				t.Fatalf("line %d: %+v, %+v", i, fast.Lines[i], slow.Lines[i])
			}
		}
	})
}

func BenchmarkLogStreamDecode(b *testing.B) {
	const n = 500
	var lines []fleet.LogLine
	for i := range n {
		lines = append(lines, fleet.LogLine{Time: time.Now(), Stream: fleet.StreamOut, Text: fmt.Sprintf("unchanged /home/user/some/long/path/with \"quotes\"/file-%d.txt", i)})
	}
	frame := AppendLogStream(nil, "j1", 1, lines)
	b.Run("fast", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, ok := DecodeLogStream(frame); !ok {
				b.Fatal("not read")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/line")
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		var d fleet.LineDecoder
		for b.Loop() {
			if _, _, ok := DecodeLogStreamWith(&d, frame); !ok {
				b.Fatal("not read")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/line")
	})
	b.Run("slow", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := slowly(frame); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/line")
	})
}

package agentwire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestDecodeRefuses(t *testing.T) {
	for in, code := range map[string]fault.Code{
		"": fault.Protocol, "x": fault.Protocol, "[]": fault.Protocol, "5": fault.Protocol, `{"v":"1"}`: fault.Protocol,
		"{}":                                   fault.VersionMismatch,
		"null":                                 fault.VersionMismatch,
		`{"v":2,"type":"ack"}`:                 fault.VersionMismatch,
		`{"v":1}`:                              fault.Protocol,
		`{"v":1,"type":"ack"} x`:               fault.Protocol,
		`{"v":1,"type":"ack"`:                  fault.Protocol,
		`{"v":1,"type":"ack","job_id":7}`:      fault.Protocol,
		`{"v":1,"type":"ack","job_id":"../x"}`: fault.Protocol,
		`{"v":1,"type":"ack","job_id":"a b"}`:  fault.Protocol,
		`{"v":1,"type":"ack","job_id":"` + strings.Repeat("x", 200) + `"}`: fault.Protocol,
	} {
		e, err := agentwire.Decode([]byte(in))
		if fault.CodeOf(err) != code || !reflect.DeepEqual(e, agentwire.Envelope{}) {
			t.Errorf("%q: %+v, %v, want %s", in, e, err, code)
		}
		if msg, ok := fault.Message(err); !ok || !strings.HasSuffix(msg, ".") {
			t.Errorf("%q: %q", in, msg)
		}
	}
	e, err := agentwire.Decode([]byte(`{"v":1,"type":"ack","later":{"x":1},"payload":{"seq":1}}`))
	if err != nil || string(e.Payload) != `{"seq":1}` {
		t.Errorf("an unknown field: %+v, %v", e, err)
	}
}

// What an agent is told to do is understood whole or refused, however deep the unknown field lies; everything else reads over it.
func TestStrictPayload(t *testing.T) {
	raw, err := json.Marshal(agentwire.CommandRun{Spec: jobSpec(), StartWithinMS: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := agentwire.StrictPayload[agentwire.CommandRun](agentwire.Envelope{Type: agentwire.TypeCommandRun, Payload: raw}); err != nil || !reflect.DeepEqual(got.Spec, jobSpec()) {
		t.Fatalf("%+v, %v", got, err)
	}
	const unknown = `"argv":["--password-command=x"],`
	for _, place := range []string{`{`, `{"spec":{`, `"repository":{`, `"backup":{`, `"restore":{`, `"check":{`} {
		with := strings.Replace(string(raw), place, place+unknown, 1)
		if with == string(raw) || !json.Valid([]byte(with)) {
			t.Fatalf("no unknown field after %s: %s", place, with)
		}
		e := agentwire.Envelope{Type: agentwire.TypeCommandRun, Payload: json.RawMessage(with)}
		if _, err := agentwire.StrictPayload[agentwire.CommandRun](e); fault.CodeOf(err) != fault.Protocol {
			t.Errorf("unknown field after %s: %v", place, err)
		}
		if _, err := agentwire.Payload[agentwire.CommandRun](e); err != nil {
			t.Errorf("unknown field after %s is not read over: %v", place, err)
		}
	}
	for _, payload := range []string{"", "x", `{} {}`, `{}5`, `{}]`, `{}}`, `{}:`, `{},`, `{"spec":5}`, `{"spec":{"backup":{"paths":"/x"}}}`, `{"spec":{"created_at":"yesterday"}}`, `{"start_within_ms":1.5}`} {
		if _, err := agentwire.StrictPayload[agentwire.CommandRun](agentwire.Envelope{Payload: json.RawMessage(payload)}); fault.CodeOf(err) != fault.Protocol {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestPayloadRefuses(t *testing.T) {
	for _, payload := range []string{"", "x", `{"seq":"1"}`, `{} {}`, `[]`} {
		if _, err := agentwire.Payload[agentwire.Ack](agentwire.Envelope{Type: agentwire.TypeAck, Payload: json.RawMessage(payload)}); fault.CodeOf(err) != fault.Protocol {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestEncodeFails(t *testing.T) {
	if _, err := agentwire.Encode(agentwire.TypeAck, "", "", func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

// Whatever comes in as a frame: a coded error or a message that can be passed on unchanged.
func FuzzDecode(f *testing.F) {
	all := samples()
	for _, s := range all {
		b, err := json.Marshal(s.payload)
		if err == nil && s.typ != "" {
			b, err = agentwire.Encode(s.typ, "m", s.job, s.payload)
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"v":1,"type":"x","payload":null}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, err := agentwire.Decode(frame)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Protocol && code != fault.VersionMismatch {
				t.Fatalf("%q: %v", frame, err)
			}
			return
		}
		if e.JobID != "" && !fleet.ValidID(string(e.JobID)) || e.Type == "" {
			t.Fatalf("%q: %+v", frame, e)
		}
		again, err := agentwire.Encode(e.Type, e.ID, e.JobID, e.Payload)
		if err != nil {
			t.Fatalf("%q: %v", frame, err)
		}
		if second, err := agentwire.Decode(again); err != nil || second.Type != e.Type || second.JobID != e.JobID || !sameJSON(t, second.Payload, e.Payload) {
			t.Fatalf("%q: %+v became %+v, %v", frame, e, second, err)
		}
		for _, s := range all {
			if s.back == nil {
				continue
			}
			if v, err := s.back(e); err != nil && fault.CodeOf(err) != fault.Protocol {
				t.Fatalf("%q as %s: %+v, %v", frame, s.name, v, err)
			}
		}
		strictOrNothing(t, e)
	})
}

// What an agent is told to do, on its own: a frame's payload is one whole value already, a payload here is anything.
func FuzzStrictPayload(f *testing.F) {
	raw, err := json.Marshal(agentwire.CommandRun{Spec: jobSpec(), StartWithinMS: 1000})
	if err != nil {
		f.Fatal(err)
	}
	for _, tail := range []string{"", " \n", "]", "}", " ] ", ",", ":", "{}", "x", `"`} {
		f.Add(slices.Concat(raw, []byte(tail)))
	}
	f.Add([]byte(`{"argv":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		strictOrNothing(t, agentwire.Envelope{V: agentwire.Version, Type: agentwire.TypeCommandRun, Payload: payload})
	})
}

// strictOrNothing demands that what the strict reader takes the other one takes, too, and reads the same.
func strictOrNothing(t *testing.T, e agentwire.Envelope) {
	t.Helper()
	strict, err := agentwire.StrictPayload[agentwire.CommandRun](e)
	if err != nil {
		if fault.CodeOf(err) != fault.Protocol {
			t.Fatalf("%q: %v", e.Payload, err)
		}
		return
	}
	if loose, err := agentwire.Payload[agentwire.CommandRun](e); err != nil || !reflect.DeepEqual(loose, strict) {
		t.Fatalf("%q: strict %+v, loose %+v, %v", e.Payload, strict, loose, err)
	}
}

func sameJSON(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	if len(a) == 0 || len(b) == 0 || string(a) == "null" || string(b) == "null" {
		return true // no payload: JSON's null is none either
	}
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return false
	}
	var v, w any
	return json.Unmarshal(x.Bytes(), &v) == nil && json.Unmarshal(y.Bytes(), &w) == nil && reflect.DeepEqual(v, w)
}

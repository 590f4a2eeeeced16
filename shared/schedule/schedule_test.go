package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parse(t testing.TB, s fleet.Schedule) schedule.Timetable {
	t.Helper()
	table, err := schedule.Parse(s)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return table
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name, cron, zone, after string
		want                    []string
	}{
		{"every night", "30 2 * * *", "", "2026-11-24T02:29:59Z", []string{"2026-11-24T02:30:00Z", "2026-11-25T02:30:00Z"}},
		{"not the slot itself", "30 2 * * *", "UTC", "2026-11-24T02:30:00Z", []string{"2026-11-25T02:30:00Z"}},
		{"in a zone", "0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", []string{"2026-01-01T18:15:00Z", "2026-01-02T18:15:00Z"}},
		{"working days", "0 22 * * 1-5", "UTC", "2026-11-27T00:00:00Z", []string{"2026-11-27T22:00:00Z", "2026-11-30T22:00:00Z"}},
		{"Sunday is 0 and 7", "0 1 * * 7", "UTC", "2026-11-24T00:00:00Z", []string{"2026-11-29T01:00:00Z"}},
		{"day of the month or of the week", "0 0 13 * 5", "UTC", "2026-11-01T00:00:00Z",
			[]string{"2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"}},
		{"names", "15 4 * JAN,jul sun", "UTC", "2026-11-24T00:00:00Z", []string{"2027-01-03T04:15:00Z"}},
		{"@weekly", "@weekly", "UTC", "2026-11-24T00:00:00Z", []string{"2026-11-29T00:00:00Z"}},
		{"leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"the hour that is left out ends", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"two in the gap are one", "0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
		{"one in the gap, one at its end", "0 2,3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T01:00:00Z"}},
		{"the hour that comes twice counts once", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"asked between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", []string{"2026-10-26T01:30:00Z"}},
		{"every hour goes on in both", "30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}},
		{"every hour over the gap", "30 * * * *", "Europe/Berlin", "2026-03-28T23:45:00Z",
			[]string{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
		{"midnight that does not exist", "0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z",
			[]string{"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}},
		{"half an hour's jump", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", []string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parse(t, fleet.Schedule{Cron: c.cron, TimeZone: c.zone}).NextN(at(t, c.after), len(c.want))
			if len(got) != len(c.want) {
				t.Fatalf("got %v", got)
			}
			for i, want := range c.want {
				if !got[i].Equal(at(t, want)) || got[i].Location() != time.UTC {
					t.Errorf("slot %d is %v, want %s", i, got[i], want)
				}
			}
		})
	}
}

func TestEvery(t *testing.T) {
	table := parse(t, fleet.Schedule{EveryMS: (6 * time.Hour).Milliseconds(), Start: at(t, "2026-11-24T03:10:00Z")})
	for after, want := range map[string]string{
		"2026-01-01T00:00:00Z": "2026-11-24T03:10:00Z",
		"2026-11-24T03:10:00Z": "2026-11-24T09:10:00Z",
		"2026-11-24T09:09:59Z": "2026-11-24T09:10:00Z",
		"2027-02-01T00:00:00Z": "2027-02-01T03:10:00Z",
	} {
		if got := table.Next(at(t, after)); !got.Equal(at(t, want)) {
			t.Errorf("after %s: %v, want %s", after, got, want)
		}
	}
	if got := table.Last(at(t, "2026-11-24T03:10:00Z"), at(t, "2027-02-01T03:09:00Z")); !got.Equal(at(t, "2027-01-31T21:10:00Z")) {
		t.Errorf("last is %v", got)
	}
	if got := table.Last(time.Time{}, at(t, "2026-11-24T03:09:00Z")); !got.IsZero() {
		t.Errorf("before the start: %v", got)
	}
}

func TestRefused(t *testing.T) {
	minute := time.Minute.Milliseconds()
	for name, s := range map[string]fleet.Schedule{
		"nothing":             {},
		"both":                {Cron: "@daily", EveryMS: minute, Start: time.Unix(0, 0)},
		"four fields":         {Cron: "* * * *"},
		"six fields":          {Cron: "0 0 2 * * *"},
		"minute 60":           {Cron: "60 * * * *"},
		"words":               {Cron: "every night"},
		"an interval in cron": {Cron: "@every 1h"},
		"a zone in cron":      {Cron: "TZ=UTC 0 0 * * *"},
		"a zone in cron, too": {Cron: "CRON_TZ=Europe/Berlin 0 0 * * *"},
		"@reboot":             {Cron: "@reboot"},
		"30 February":         {Cron: "0 0 30 2 *"},
		"unknown zone":        {Cron: "@daily", TimeZone: "Europe/Atlantis"},
		"the host's zone":     {Cron: "@daily", TimeZone: "Local"},
		"a path as zone":      {Cron: "@daily", TimeZone: "../../etc/passwd"},
		"half a minute":       {EveryMS: minute + 30_000, Start: time.Unix(0, 0)},
		"30 seconds":          {EveryMS: 30_000, Start: time.Unix(0, 0)},
		"two years":           {EveryMS: 2 * 366 * 24 * 60 * minute, Start: time.Unix(0, 0)},
		"backwards":           {EveryMS: -minute, Start: time.Unix(0, 0)},
		"no start":            {EveryMS: minute},
		"a zone of every":     {EveryMS: minute, Start: time.Unix(0, 0), TimeZone: "UTC"},
		"a day's splay":       {Cron: "@daily", SplayMS: 24 * 60 * minute},
		"negative splay":      {Cron: "@daily", SplayMS: -1},
		"long":                {Cron: string(make([]byte, 300))},
	} {
		if _, err := schedule.Parse(s); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What comes due between two looks is the same whoever looks and however often.
func TestLastAgreesWithNext(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"}
	crons := []string{"* * * * *", "*/7 * * * *", "30 2 * * *", "0,30 2 * * *", "15 */3 * * *", "0 0 1 * *", "5 4 * * 0", "0 0 29 2 *", "59 23 31 12 *"}
	rapid.Check(t, func(t *rapid.T) {
		s := fleet.Schedule{Cron: rapid.SampledFrom(crons).Draw(t, "cron"), TimeZone: rapid.SampledFrom(zones).Draw(t, "zone")}
		if rapid.Bool().Draw(t, "interval") {
			s = fleet.Schedule{EveryMS: rapid.Int64Range(1, 5000).Draw(t, "minutes") * time.Minute.Milliseconds(), Start: time.Unix(1_700_000_000, 0)}
		}
		table, err := schedule.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		after := time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(t, "after"), 0)
		upTo := after.Add(time.Duration(rapid.Int64Range(0, int64(40*24*time.Hour)).Draw(t, "span")))
		var want time.Time
		for slot := table.Next(after); !slot.IsZero() && !slot.After(upTo); slot = table.Next(slot) {
			if !slot.After(after) || !want.IsZero() && !slot.After(want) {
				t.Fatalf("slot %v does not follow %v", slot, want)
			}
			want = slot
		}
		if got := table.Last(after, upTo); !got.Equal(want) {
			t.Fatalf("last of %v to %v is %v, want %v", after, upTo, got, want)
		}
	})
}

// Outside the days on which clocks jump, a slot is a minute whose wall clock fits, and none is left out.
func TestNextAgainstEachMinute(t *testing.T) {
	zone, err := schedule.Zone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	table := parse(t, fleet.Schedule{Cron: "*/20 1,13-15 * * 2,4", TimeZone: "America/New_York"})
	from := at(t, "2026-06-01T00:00:00Z")
	next := table.Next(from.Add(-time.Second))
	for m := from; m.Before(from.AddDate(0, 0, 30)); m = m.Add(time.Minute) {
		local := m.In(zone)
		h, wd := local.Hour(), local.Weekday()
		fits := local.Minute()%20 == 0 && (h == 1 || h >= 13 && h <= 15) && (wd == time.Tuesday || wd == time.Thursday)
		if fits != m.Equal(next) {
			t.Fatalf("%v fits %v, next is %v", local, fits, next)
		}
		if fits {
			next = table.Next(m)
		}
	}
}

func TestDue(t *testing.T) {
	nightly := parse(t, fleet.Schedule{Cron: "0 2 * * *", SplayMS: (10 * time.Minute).Milliseconds()})
	slot := at(t, "2026-11-24T02:00:00Z")
	seen := map[time.Time]bool{}
	for _, host := range []fleet.HostID{"a", "b", "c", "d", "e", "f"} {
		due := nightly.Due(slot, "plan", host)
		if due.Before(slot) || !due.Before(slot.Add(10*time.Minute)) {
			t.Errorf("host %s: due %v", host, due)
		}
		if again := nightly.Due(slot.Add(24*time.Hour), "plan", host); !again.Equal(due.Add(24 * time.Hour)) {
			t.Errorf("host %s: %v one day, %v the next", host, due, again)
		}
		seen[due] = true
	}
	if len(seen) < 5 {
		t.Errorf("six hosts begin at %d instants", len(seen))
	}
	minutely := parse(t, fleet.Schedule{Cron: "* * * * *", SplayMS: (10 * time.Minute).Milliseconds()})
	if due := minutely.Due(slot, "plan", "a"); due.Sub(slot) >= 30*time.Second {
		t.Errorf("due %v, too near to the next slot", due)
	}
	if got := minutely.DefaultSplay(slot); got != 6*time.Second {
		t.Errorf("default splay of every minute is %v", got)
	}
	if got := nightly.DefaultSplay(slot); got != 10*time.Minute {
		t.Errorf("default splay of every night is %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"30 2 * * 1-5", "@daily", "*/5 0-6,22 1,15 JAN mon", "0 0 30 2 *", "TZ=UTC * * * * *"} {
		f.Add(s, "Europe/Berlin", int64(1_790_000_000))
	}
	f.Fuzz(func(t *testing.T, cron, zone string, unix int64) {
		table, err := schedule.Parse(fleet.Schedule{Cron: cron, TimeZone: zone})
		if err != nil {
			if _, safe := fault.Message(err); !safe {
				t.Fatalf("%q, %q: %v says nothing to a person", cron, zone, err)
			}
			return
		}
		after := time.Unix(unix%4_000_000_000, 0)
		if slot := table.Next(after); !slot.IsZero() && !slot.After(after) {
			t.Fatalf("%q in %q: %v does not follow %v", cron, zone, slot, after)
		}
	})
}

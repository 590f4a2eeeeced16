package logview_test

import (
	"fmt"
	"time"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
)

var noon = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

var items = []string{
	"/etc/nginx/sites-available/預算.docx", "/home/mira/Documents/Angebote/1718231.M412P99.mail,S=18231:2,S",
	"/opt/gitlab/repositories/@hashed/6b/86/IMG_20240812_183301.jpg", "/srv/mail/vmail/example.org/anna/Maildir/cur/1718231.M412P99.mail,S=18231:2,Sa",
	"/home/李雷/文档/24613_vm", "/srv/data/projects/atlas/pack-9f3c1d77be.idx", "/home/jürgen/Bilder/2024-Ostsee/Übersicht_Q3.xlsx",
	"/srv/mail/vmail/example.org/anna/Maildir/cur/very/deep/folders/with/names/that/nobody/wants/to/type/and/文档/that/go/on/to/the/right/of/the/window.txt",
	"/var/lib/postgresql/15/main/base/16384/report-final.pdf", "/srv/data/projects/atlas/pg_xact.0012",
}

// backupLines are lines of a verbose backup, numbered from seq on.
func backupLines(seq int64, n int) []logline.Line {
	all := make([]logline.Line, 0, n)
	for i := range int64(n) {
		s := seq + i
		mix := uint64(s) * 0x9e3779b97f4a7c15 >> 33
		l := logline.Line{Seq: s, Time: noon.Add(time.Duration(s) * 350 * time.Microsecond), Level: logline.Info, Source: logline.Restic}
		item := items[mix%uint64(len(items))]
		switch {
		case mix%4001 == 0:
			l.Level, l.Text = logline.Error, "open "+item+": permission denied"
		case mix%701 == 0:
			l.Level, l.Text = logline.Warn, "Save(<data/9f3c1d77be>) returned error, retrying after 1.8s: client.PutObject: Access Denied"
		case mix%3 == 0:
			l.Level, l.Text = logline.Debug, "unchanged "+item
		default:
			l.Text = fmt.Sprintf("new       %s  %d.%d MiB", item, mix%11, mix%10)
		}
		all = append(all, l)
	}
	return all
}

// ending are the last lines of a run that failed, and of one that went well.
func ending(seq int64, failed bool) []logline.Line {
	at := noon.Add(6 * time.Minute)
	if failed {
		return []logline.Line{
			{Seq: seq, Time: at, Level: logline.Error, Source: logline.Restic, Text: "fatal     unable to save snapshot: Save(<data/9f3c1d77be>) returned error, retrying after 12s: client.PutObject: Access Denied"},
			{Seq: seq + 1, Time: at, Level: logline.Warn, Source: logline.Agent, Text: "lines 12 to 19 of restic (2.1 KiB) could not be kept"},
			{Seq: seq + 2, Time: at, Level: logline.Info, Source: logline.Agent, Text: "No lock is left in the repository."},
		}
	}
	return []logline.Line{
		{Seq: seq, Time: at, Level: logline.Warn, Source: logline.Restic, Text: "ended     at least one source file could not be read"},
		{Seq: seq + 1, Time: at, Level: logline.Info, Good: true, Source: logline.Restic, Text: "summary   files: 148,213 new, 0 changed, 0 unchanged; 842.6 GiB read, 12.4 GiB added (4.1 GiB stored); 8:51"},
	}
}

// hostile are texts that want to be something else, and scripts that need care.
var hostile = []string{
	"\x1b[31mred\x1b[0m \x1b]52;c;cm0=\a NUL \x00 bell \a", "photo\u202egpj.exe and \u2066isolated\u2069, zero\u200bwidth", "not UTF-8: \xff\xfe\xc3(", "a\ttab\tstop\tand\ttabs",
	"emoji 👩‍💻 👍🏽 🇩🇪 ❤️ ✅ ⚠️ 1️⃣ 🙂 and é e\u0301 ö o\u0308 Å", "한국어 폴더/日本語のファイル名/简体中文.txt", "العربية/ملفات/تقرير.pdf and עברית/קובץ.txt", "हिन्दी/दस्तावेज़ ไทย/เอกสาร Ελληνικά/Кириллица",
	"box ├──┤ █▓▒░ → ← ≤ ≥ ∑ ∞ ½ € ™ \u2028line\u2029", "unassigned \U000e0041\u0378 private \ue000 \U0010fffd",
}

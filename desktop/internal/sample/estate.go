package sample

import (
	"fmt"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ulidAt makes an id in the form of a ULID: its order is that of the times, and of n within one.
func ulidAt(t time.Time, kind string, n int) string {
	var b [26]byte
	ms := uint64(max(t.UnixMilli(), 0))
	for i := 9; i >= 0; i-- {
		b[i] = crockford[ms%32]
		ms /= 32
	}
	rest := uint64(n)
	for i := 25; i >= 10; i-- {
		b[i] = crockford[rest%32]
		rest /= 32
	}
	copy(b[10:], strings.ToUpper(kind))
	return string(b[:])
}

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// machine is a line of the table of hosts.
type machine struct {
	name, os, arch string
	plan           string
	gib            float64 // what a backup reads
	files          int64
	perDay         int
	trait          string // what is special about it
}

// machines are the hosts. Traits: see special.
var machines = []machine{
	{"db-01.prod-eu", "linux", "amd64", "databases", 412.4, 88_214, 4, ""},
	{"db-02.prod-eu", "linux", "amd64", "databases", 398.1, 86_480, 4, ""},
	{"db-04.prod-eu", "linux", "amd64", "databases", 842.6, 233_871, 4, "running"},
	{"db-17.prod-us", "linux", "amd64", "databases", 120.9, 41_002, 4, "failed"},
	{"mail-01.office-lyon", "linux", "amd64", "mail", 286.0, 1_904_118, 1, ""},
	{"mail-02.office-lyon", "linux", "amd64", "mail", 310.7, 2_118_930, 1, "retrying"},
	{"files-07.office-wien", "linux", "amd64", "files", 1_240.2, 3_402_771, 1, "waiting"},
	{"files-08.office-wien", "linux", "amd64", "files", 655.3, 1_220_486, 1, ""},
	{"files-31.staging", "linux", "arm64", "files", 96.4, 301_442, 1, "warned"},
	{"web-1.prod-eu", "linux", "amd64", "servers", 18.2, 240_551, 1, ""},
	{"web-2.prod-eu", "linux", "amd64", "servers", 18.4, 240_904, 1, ""},
	{"web-10.prod-eu", "linux", "amd64", "servers", 17.9, 238_776, 1, ""},
	{"ci-04.office-lyon", "linux", "amd64", "servers", 64.8, 812_340, 1, ""},
	{"ci-09.edge", "linux", "arm64", "servers", 51.0, 702_118, 1, "unknown"},
	{"k8s-03.prod-eu", "linux", "amd64", "servers", 122.6, 904_221, 1, "scanning"},
	{"git.prod-eu", "linux", "amd64", "servers", 204.8, 2_880_416, 2, ""},
	{"monitoring.prod-eu", "linux", "amd64", "servers", 88.1, 30_215, 1, ""},
	{"vpn-gw.office-wien", "freebsd", "amd64", "servers", 4.2, 96_003, 1, "interrupted"},
	{"erp.office-wien", "windows", "amd64", "windows", 233.5, 410_992, 1, ""},
	{"dc-01.office-lyon", "windows", "amd64", "windows", 71.3, 188_450, 1, ""},
	{"print.office-lyon", "windows", "amd64", "windows", 22.0, 104_310, 1, "no-restic"},
	{"mira-notebook", "darwin", "arm64", "laptops", 188.7, 640_113, 1, ""},
	{"jürgen-macbook", "darwin", "arm64", "laptops", 142.9, 511_870, 1, "warned"},
	{"lei-macbook", "darwin", "arm64", "laptops", 201.6, 702_554, 1, "offline"},
	{"anna-surface", "windows", "amd64", "windows", 97.5, 330_480, 1, "cancelled"},
	{"studio-mac", "darwin", "arm64", "media", 2_310.4, 188_902, 1, ""},
	{"render-02", "linux", "amd64", "media", 1_804.8, 96_441, 1, "lost"},
	{"archive-nas", "linux", "amd64", "media", 3_906.1, 402_115, 1, ""},
	{"test-vm-12", "linux", "amd64", "servers", 0, 0, 0, "never"},
	{"new-db.prod-us", "linux", "amd64", "databases", 0, 0, 0, "no-secret"},
	{"empfang-büro", "windows", "amd64", "", 0, 0, 0, "unplanned"},
	{"old-web.prod-eu", "linux", "amd64", "", 12.8, 140_221, 0, "revoked"},
}

type store struct{ name, url string }

var stores = []store{
	{"eu-central", "s3:https://s3.eu-central-1.amazonaws.com/backstay-prod/fleet"},
	{"wien-rest", "rest:https://backup-wien.example.net:8000/fleet"},
	{"media-cold", "rclone:media-cold:backstay/fleet"},
	{"laptops", "sftp:backup@vault.example.net:/srv/laptops"},
}

type planLine struct {
	name, store string
	paths       []string
	excludes    []string
	verbose     bool
	when        string // cron expression, or "" for every six hours
	paused      bool
}

// Zone is the time zone of the made-up fleet's schedules, and of those who look at it.
const Zone = "Europe/Vienna"

var planLines = []planLine{
	{"databases", "eu-central", []string{"/var/lib/postgresql", "/etc"}, []string{"*.pid", "pg_stat_tmp"}, true, "", false},
	{"mail", "eu-central", []string{"/srv/mail", "/etc"}, []string{"*.lock"}, false, "0 3 * * *", false},
	{"files", "wien-rest", []string{"/srv/data", "/home"}, []string{"*.tmp", ".cache", "~$*"}, true, "30 3 * * *", false},
	{"servers", "eu-central", []string{"/etc", "/opt", "/var/lib", "/root"}, []string{"/var/lib/docker", "/var/lib/containerd"}, false, "15 3 * * *", false},
	{"windows", "wien-rest", []string{`C:\Users`, `D:\Daten`}, []string{"pagefile.sys", "Thumbs.db"}, false, "0 3 1-30 * *", false},
	{"laptops", "laptops", []string{"/Users"}, []string{"Downloads", ".cache", "node_modules"}, true, "30 3 * * 1-5", false},
	{"media", "media-cold", []string{"/srv/media"}, nil, false, "0 4 * * 6,0", true},
}

// settle makes repositories, hosts and plans.
func (d *Daemon) settle() {
	plans := d.plan()
	for i, m := range machines {
		d.assign(d.enrol(i, m), plans[m.plan], m.trait != "no-secret")
	}
	d.scene.Plan, d.scene.Repository = plans["databases"].ID, plans["databases"].RepositoryID
}

// plan makes repositories and plans without hosts; the plans by their names.
func (d *Daemon) plan() map[string]*fleet.Plan {
	began := d.now.AddDate(0, -3, 0)
	repos, plans := map[string]*fleet.Repository{}, map[string]*fleet.Plan{}
	for _, s := range stores {
		r := &fleet.Repository{ID: fleet.RepositoryID(d.id("R")), Name: s.name, URL: s.url, CreatedAt: began}
		d.repos[r.ID], repos[s.name] = r, r
	}
	for _, l := range planLines {
		p := &fleet.Plan{Schedule: l.schedule(began), ID: fleet.PlanID(d.id("P")), Name: l.name, RepositoryID: repos[l.store].ID, Hosts: []fleet.HostID{}, CreatedAt: began.Add(time.Hour),
			Backup: fleet.BackupSpec{Paths: l.paths, Excludes: l.excludes, ExcludeCaches: true, Verbose: l.verbose}}
		d.plans[p.ID], plans[l.name] = p, p
	}
	return plans
}

func (l planLine) schedule(began time.Time) *fleet.Schedule {
	s := &fleet.Schedule{Cron: l.when, TimeZone: Zone, SplayMS: (10 * time.Minute).Milliseconds(), Paused: l.paused}
	if l.when == "" {
		s.TimeZone, s.EveryMS, s.Start = "", (6 * time.Hour).Milliseconds(), began.Truncate(24*time.Hour).Add(2*time.Hour)
	}
	return s
}

// assign adds a host to a plan, or to none, with the secret of its repository where it has that.
func (d *Daemon) assign(h *fleet.Host, p *fleet.Plan, secret bool) {
	if p != nil {
		p.Hosts = append(p.Hosts, h.ID)
		if secret {
			h.Secrets = append(h.Secrets, p.RepositoryID)
		}
	}
	d.hosts[h.ID] = h
}

func (d *Daemon) enrol(i int, m machine) *fleet.Host {
	seen := d.now.Add(-time.Duration(d.rnd.IntN(900)) * time.Millisecond)
	h := &fleet.Host{ID: fleet.HostID(d.id("H")), Name: m.name, AgentID: fleet.AgentID(d.id("A")), Hostname: m.name, OS: m.os, Arch: m.arch, AgentVersion: "1.4.2",
		ResticVersion: "0.19.1", SecretStore: fleet.SecretsSealedFile, Secrets: []fleet.RepositoryID{}, Backups: []fleet.BackupMark{}, SealingKey: fmt.Sprintf("age1sample%048d", i), Online: true,
		RestoreRoot: "/var/lib/backstay-agent/restore", EnrolledAt: d.now.AddDate(0, 0, -90+i/3), LastSeenAt: &seen, ClockSkewMS: int64(d.rnd.IntN(41) - 20)}
	if m.os == "windows" {
		h.RestoreRoot = `C:\ProgramData\Backstay\Restore`
	}
	if m.os != "linux" || strings.HasPrefix(m.plan, "lap") {
		h.SecretStore = fleet.SecretsKeyring
	}
	if i%7 == 3 {
		h.AgentVersion, h.ResticVersion = "1.4.1", "0.18.0"
	}
	d.special(h, m.trait)
	return h
}

// special makes a host one of those that pages are shown with.
func (d *Daemon) special(h *fleet.Host, trait string) {
	ago := func(t time.Duration) *time.Time {
		at := d.now.Add(-t)
		return &at
	}
	switch trait {
	case "running":
		d.scene.Host = h.ID
	case "offline":
		h.Online, h.LastSeenAt = false, ago(51*time.Hour)
		d.scene.Offline = h.ID
	case "unknown":
		h.Online, h.LastSeenAt = false, ago(23*time.Minute)
	case "no-restic":
		h.ResticVersion = ""
		d.scene.NoRestic = h.ID
	case "no-secret":
		h.EnrolledAt = *ago(26 * time.Hour)
		d.scene.NoSecret = h.ID
	case "never":
		h.EnrolledAt = *ago(74 * time.Hour)
		d.scene.NeverBackedUp = h.ID
	case "unplanned":
		h.EnrolledAt = *ago(9 * time.Minute)
	case "revoked":
		h.Online, h.LastSeenAt, h.RevokedAt = false, ago(12*24*time.Hour), ago(12*24*time.Hour)
		d.scene.Revoked = h.ID
	}
}

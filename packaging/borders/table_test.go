package borders

// A border says that only some packages may import something. Patterns are import paths below the module for our own packages
// ("daemon/internal/control"), whole import paths for others; "*" stands for one element, and everything below a match matches.
type border struct {
	imports string
	only    []string // packages that may; none may when empty
	except  []string // those of them that may not
	why     string
}

// borders are the rows for imports of code that ships; tests may import what they need.
var borders = []border{
	{imports: "fyne.io/fyne/v2/app", only: []string{"desktop/cmd"}, why: "it is where cgo lives; everything else of the console is tested without it"},
	{imports: "fyne.io/fyne", only: []string{"desktop"}, except: []string{"desktop/internal/model", "desktop/internal/vm", "desktop/internal/feed"},
		why: "what the console shows is decided, and tested, without a window"},
	{imports: "modernc.org/sqlite", only: []string{"daemon/internal/sqlite"}, why: "one place opens a database, with all its pragmas"},
	{imports: "database/sql", only: []string{"daemon/internal/sqlite", "daemon/internal/joblog"}, why: "use cases speak to interfaces, so that another store can take the place"},
	{imports: "net/http", only: []string{"daemon/internal/httpapi", "daemon/internal/agentws", "daemon/internal/httpfault", "daemon/internal/metrics", "*/internal/app", "daemon/internal/notify",
		"shared/apiclient", "shared/wsconn"}, why: "use cases know no transport"},
	{imports: "github.com/coder/websocket", only: []string{"shared/wsconn"}, why: "one place sets read limits, deadlines and pings"},
	{imports: "github.com/kardianos/service", only: []string{"shared/svc"}, why: "its defaults are wrong for us and are put right in one place"},
	{imports: "github.com/godbus/dbus/v5", only: []string{"shared/systemd", "shared/svc"}, why: "one place speaks to systemd"},
	{imports: "shared/svc", only: []string{"agent/cmd", "daemon/cmd/backstayd", "agent/internal/app", "*/internal/svc"}, why: "the two programs that are services, at their top"},
	{imports: "shared/systemd", only: []string{"shared/svc", "*/internal/app"}, why: "the programs that systemd starts"},
	{imports: "github.com/zalando/go-keyring", only: []string{"shared/keyring"}, why: "it waits without limit; the adapter bounds it and tells broken from empty"},
	{imports: "github.com/danieljoos/wincred", why: "the keyring goes through shared/keyring"},
	{imports: "shared/keyring", only: []string{"agent/internal/secrets", "agent/internal/app", "desktop/internal/prefs", "daemon/cmd/backstay", "daemon/internal/cli"},
		why: "secrets live with the agent, and a person's own sign-in with the console and the CLI; the daemon has none"},
	{imports: "filippo.io/age", only: []string{"shared/secret"}, why: "one place seals and opens"},
	{imports: "os/exec", only: []string{"agent/internal/proc", "desktop/internal/shell", "shared/sharedtest", "packaging"},
		why: "the daemon cannot run programs, and the agent starts them in one place that knows how to end them; the shell opens a folder"},
	{imports: "github.com/klauspost/compress", only: []string{"daemon/internal/joblog"}, why: "only log chunks are compressed"},
	{imports: "github.com/danielgtaylor/huma/v2", only: []string{"daemon/internal/httpapi"}, why: "the API's framework is a detail of its adapter"},
	{imports: "github.com/prometheus/client_golang", only: []string{"daemon/internal/metrics"}, why: "the rest of the daemon reports numbers, not metrics"},
	{imports: "golang.org/x/crypto/argon2", only: []string{"daemon/internal/auth"}, why: "its memory is bounded in one place"},
	{imports: "github.com/spf13/cobra", only: []string{"*/cmd", "daemon/internal/cli", "agent/internal/cli", "shared/manual"}, why: "parsing arguments is the commands' job"},
	{imports: "shared/sharedtest", only: []string{"shared/sharedtest", "packaging"}, why: "it is for tests"},
	{imports: "shared/apiclient/apitest", why: "it is for tests"},
	{imports: "testing", only: []string{"shared/sharedtest", "shared/apiclient/apitest", "packaging"}, why: "programs do not carry the test framework"},
	{imports: "math/rand", why: "math/rand/v2 needs no seed, and crypto/rand is for everything that must not be guessed"},
	{imports: "log", only: []string{"daemon/internal/httpapi", "daemon/internal/app", "daemon/internal/agentws", "shared/wsconn", "shared/apiclient/apitest"},
		why: "we log with slog; net/http's ErrorLog alone wants a log.Logger"},

	{imports: "agent/internal/session", only: []string{"agent/internal/app"}, why: "app → session → runner → the rest"},
	{imports: "agent/internal/planner", only: []string{"agent/internal/app", "agent/internal/session"}, why: "app → session, planner → runner → the rest"},
	{imports: "agent/internal/runner", only: []string{"agent/internal/app", "agent/internal/session", "agent/internal/planner"}, why: "session, planner → runner"},
	{imports: "agent/internal/secrets", only: []string{"agent/internal/app", "agent/internal/session", "agent/internal/runner", "agent/internal/inventory", "agent/cmd"},
		why: "what restic needs arrives at the shim through a pipe; nothing below the runner opens the store"},
	{imports: "*/internal/app", only: []string{"*/cmd", "*/internal/app", "daemon/internal/cli", "agent/internal/cli"}, why: "the composition root is the top"},
	{imports: "daemon/internal/httpapi", only: []string{"daemon/internal/app"}, why: "adapters do not know each other"},
	{imports: "daemon/internal/agentws", only: []string{"daemon/internal/app"}, why: "adapters do not know each other"},
	{imports: "daemon/internal/sqlite", only: []string{"daemon/internal/app", "daemon/internal/joblog"}, why: "only the composition root picks a store; joblog opens its files through it"},
}

// A layer says what of our own module some packages may import at all; tests included, because they build with them.
type layer struct {
	packages string
	may      []string
	why      string
}

var layers = []layer{
	{"shared", []string{"shared"}, "shared is a leaf: daemon, agent and console stand on it"},
	{"shared/fault", nil, "errors know nothing"},
	{"shared/fleet", []string{"shared/fault", "shared/fleet"}, "the domain knows its errors and nothing else"},
	{"shared/secret", []string{"shared/fault", "shared/fleet", "shared/secret"}, "secrets pass through little code"},
	{"daemon", []string{"daemon", "shared"}, "programs share contracts, not code"},
	{"agent", []string{"agent", "shared"}, "programs share contracts, not code"},
	{"desktop", []string{"desktop", "shared", "icons"}, "programs share contracts, not code"},
	{"desktop/internal/model", []string{"desktop/internal/model", "shared"}, "apiclient → feed → model → vm → pages: what is known stands on no way of showing it"},
	{"desktop/internal/feed", []string{"desktop/internal/feed", "desktop/internal/model", "shared"}, "it brings data and decides nothing"},
	{"desktop/internal/vm", []string{"desktop/internal/vm", "desktop/internal/model", "shared"}, "what a page shows follows from what is known; requests are the page's"},
	{"daemon/internal/control", []string{"daemon/internal/control", "daemon/internal/auth", "shared"}, "use cases declare the interfaces they need; adapters implement them"},
	{"daemon/internal/auth", []string{"daemon/internal/auth", "shared"}, "it hashes and counts"},
	{"daemon/internal/pki", []string{"daemon/internal/pki", "shared"}, "it makes and checks certificates"},
	{"daemon/internal/watch", []string{"daemon/internal/watch", "daemon/internal/control", "shared"}, "adapters know control, not each other"},
	{"daemon/internal/dispatch", []string{"daemon/internal/dispatch", "daemon/internal/control", "shared"}, "adapters know control, not each other"},
	{"agent/internal/restic", []string{"agent/internal/restic", "shared"}, "what restic is told and says is pure: no process, no store"},
	{"agent/internal/proc", []string{"agent/internal/proc", "shared"}, "it owns processes and knows no job"},
	{"agent/internal/spool", []string{"agent/internal/spool", "agent/internal/proc", "shared"}, "session, planner, runner → restic, spool, journal → proc"},
	{"agent/internal/journal", []string{"agent/internal/journal", "agent/internal/proc", "shared"}, "session, planner, runner → restic, spool, journal → proc"},
	{"agent/internal/secrets", []string{"agent/internal/secrets", "shared"}, "the store knows no job"},
	{"agent/internal/policy", []string{"agent/internal/policy", "shared"}, "the ceiling depends on nothing that it bounds"},
	{"agent/internal/config", []string{"agent/internal/config", "shared"}, "everything reads it"},
}

// A ban names imports of others that some packages may not have, in code that ships.
type ban struct {
	packages string
	not      []string
	why      string
}

var bans = []ban{
	{"shared/fleet", []string{"os", "net", "log/slog"}, "the domain has no I/O"},
	{"desktop/internal/model", []string{"os", "net", "sync", "log/slog"}, "it lives on the UI goroutine: no I/O, no locks"},
	{"desktop/internal/vm", []string{"os", "net", "sync", "log/slog"}, "it lives on the UI goroutine: no I/O, no locks"},
	{"shared/fault", []string{"os", "net", "log/slog"}, "errors have no I/O"},
	{"daemon/internal/control", []string{"os", "net"}, "use cases have no I/O of their own"},
	{"agent/internal/restic", []string{"net"}, "it is pure, but for looking for restic's file"},
}

// thirdParty is what shared may import of others: it is in every program, so each row earns its place.
var thirdParty = []layer{
	{"shared/secret", []string{"filippo.io/age"}, "sealing to an agent's key"},
	{"shared/keyring", []string{"github.com/zalando/go-keyring"}, "the OS keyring"},
	{"shared/systemd", []string{"github.com/godbus/dbus/v5"}, "systemd's interface; in the daemon and the agent only"},
	{"shared/svc", []string{"github.com/kardianos/service", "github.com/godbus/dbus/v5", "github.com/DeRuina/timberjack", "golang.org/x/sys"},
		"service managers and a log file that is bounded; in the daemon and the agent only"},
	{"shared/wsconn", []string{"github.com/coder/websocket"}, "both wires"},
	{"shared/manual", []string{"github.com/spf13/cobra"}, "man pages and completions, for packages; in no installed program"},
	{"shared/schedule", []string{"github.com/netresearch/go-cron"}, "cron expressions"},
	{"shared/datafolder", []string{"golang.org/x/sys"}, "file locks of Windows and Unix"},
	{"shared/sharedtest", []string{"golang.org/x/crypto/bcrypt"}, "rest-server's password file; tests only"},
}

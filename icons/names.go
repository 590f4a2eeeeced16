package icons

// Icons by what they stand for here. The value is Lucide's own name.
const (
	Overview        Name = "layout-dashboard"
	Host            Name = "server"
	Job             Name = "activity"
	Snapshot        Name = "archive"
	Clock           Name = "clock"
	Repository      Name = "database"
	Alarm           Name = "bell"
	Access          Name = "key-round"
	Settings        Name = "sliders-horizontal"
	Search          Name = "search"
	Plus            Name = "plus"
	Minus           Name = "minus"
	Play            Name = "play"
	Pause           Name = "pause"
	X               Name = "x"
	Check           Name = "check"
	CircleCheck     Name = "circle-check"
	CircleX         Name = "circle-x"
	CircleAlert     Name = "circle-alert"
	CircleDot       Name = "circle-dot"
	CircleDashed    Name = "circle-dashed"
	CircleStop      Name = "circle-stop"
	Loader          Name = "loader-circle"
	CircleHelp      Name = "circle-question-mark"
	TriangleAlert   Name = "triangle-alert"
	ChevronDown     Name = "chevron-down"
	ChevronRight    Name = "chevron-right"
	ChevronLeft     Name = "chevron-left"
	ChevronUp       Name = "chevron-up"
	ChevronsUpDown  Name = "chevrons-up-down"
	ArrowUp         Name = "arrow-up"
	ArrowDown       Name = "arrow-down"
	ArrowLeft       Name = "arrow-left"
	ArrowRight      Name = "arrow-right"
	ArrowDownToLine Name = "arrow-down-to-line"
	Refresh         Name = "refresh-cw"
	Restore         Name = "rotate-ccw"
	Download        Name = "download"
	Upload          Name = "upload"
	Save            Name = "save"
	Copy            Name = "copy"
	Wrap            Name = "wrap-text"
	Moon            Name = "moon"
	Sun             Name = "sun"
	Monitor         Name = "monitor"
	LogOut          Name = "log-out"
	Trash           Name = "trash-2"
	Pencil          Name = "pencil"
	Folder          Name = "folder"
	FolderOpen      Name = "folder-open"
	File            Name = "file"
	FileText        Name = "file-text"
	Lock            Name = "lock"
	Unlock          Name = "lock-open"
	Terminal        Name = "terminal"
	Ban             Name = "ban"
	Filter          Name = "funnel"
	Ellipsis        Name = "ellipsis"
	Info            Name = "info"
	Calendar        Name = "calendar"
	History         Name = "history"
	User            Name = "user"
	Users           Name = "users"
	Laptop          Name = "laptop"
	Disk            Name = "hard-drive"
	Package         Name = "package"
	Eye             Name = "eye"
	EyeOff          Name = "eye-off"
	Shield          Name = "shield-check"
	ShieldAlert     Name = "shield-alert"
	Link            Name = "link"
	ExternalLink    Name = "external-link"
	Unplug          Name = "unplug"
	Plug            Name = "plug"
	WifiOff         Name = "wifi-off"
	Tag             Name = "tag"
	Prune           Name = "scissors"
	Diff            Name = "git-compare"
	List            Name = "list"
	Layers          Name = "layers"
	Gauge           Name = "gauge"
	Send            Name = "send"
	Keyboard        Name = "keyboard"
	Languages       Name = "languages"
	BellOff         Name = "bell-off"
	Ticket          Name = "ticket"
	ScrollText      Name = "scroll-text"
	Command         Name = "command"
)

// Plan is a clock: Lucide's calendar with a clock in it is too fine to be drawn small.
const Plan = Clock

// All lists every icon.
func All() []Name {
	return []Name{
		Overview, Host, Job, Snapshot, Clock, Repository, Alarm, Access, Settings, Search, Plus, Minus, Play, Pause, X, Check,
		CircleCheck, CircleX, CircleAlert, CircleDot, CircleDashed, CircleStop, Loader, CircleHelp, TriangleAlert, ChevronDown,
		ChevronRight, ChevronLeft, ChevronUp, ChevronsUpDown, ArrowUp, ArrowDown, ArrowLeft, ArrowRight, ArrowDownToLine, Refresh,
		Restore, Download, Upload, Save, Copy, Wrap, Moon, Sun, Monitor, LogOut, Trash, Pencil, Folder, FolderOpen, File, FileText,
		Lock, Unlock, Terminal, Ban, Filter, Ellipsis, Info, Calendar, History, User, Users, Laptop, Disk, Package, Eye, EyeOff,
		Shield, ShieldAlert, Link, ExternalLink, Unplug, Plug, WifiOff, Tag, Prune, Diff, List, Layers, Gauge, Send, Keyboard,
		Languages, BellOff, Ticket, ScrollText, Command,
	}
}

package svc

import (
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"
)

// Plist is the launchd job of d. RunAtLoad and KeepAlive start it with the system and whenever it ended.
func Plist(d Definition) string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	entry := func(key, value string) { line("\t<key>%s</key>\n\t%s", key, value) }
	line(`<?xml version="1.0" encoding="UTF-8"?>`)
	line(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	line(`<plist version="1.0">`)
	line("<dict>")
	entry("Label", xmlString(d.Label))
	var words []string
	for _, w := range append([]string{d.Executable}, d.Arguments...) {
		words = append(words, "\t\t"+xmlString(w))
	}
	entry("ProgramArguments", "<array>\n"+strings.Join(words, "\n")+"\n\t</array>")
	entry("RunAtLoad", "<true/>")
	entry("KeepAlive", "<true/>")
	entry("ThrottleInterval", "<integer>1</integer>")
	entry("ExitTimeOut", fmt.Sprintf("<integer>%d</integer>", int(d.Systemd.StopTimeout.Seconds())))
	if d.Outlive {
		entry("AbandonProcessGroup", "<true/>")
	}
	entry("ProcessType", xmlString("Background"))
	entry("Umask", "<integer>63</integer>") // 077
	entry("StandardErrorPath", xmlString(filepath.ToSlash(crashFile(d))))
	line("</dict>")
	line("</plist>")
	return b.String()
}

// crashFile takes what a program that crashes says at last; its log is another file.
func crashFile(d Definition) string { return filepath.Join(d.LogDir, d.Name+".crash.log") }

func xmlString(s string) string {
	var b strings.Builder
	b.WriteString("<string>")
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	b.WriteString("</string>")
	return b.String()
}

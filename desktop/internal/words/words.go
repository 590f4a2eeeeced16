// Package words holds every text that a person reads in the console: keys of fyne's lang package with an English and a German
// text each (translation/*.json, a pair of files for each part of the console), and numbers, sizes, times and durations in the
// form of the chosen language. Nothing else in desktop spells out a text; a test compares the keys that the code uses with those
// that both languages have.
//
// It belongs to the UI goroutine. What the daemon says of a job or an error is shown as it comes.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"github.com/backstay/backstay/shared/fault"
)

// Languages that the console speaks, by their tags.
var languages = []string{"en", "de"}

// Languages gives the tags of the languages that the console speaks.
func Languages() []string { return slices.Clone(languages) }

//go:embed translation
var files embed.FS

// Use chooses the language by its tag; "" is the system's, or English where the console does not speak it. Texts that are on the
// screen already stay as they are.
func Use(language string) error {
	if language != "" && !slices.Contains(languages, language) {
		return fmt.Errorf("use language: %q is none of %v", language, languages)
	}
	for _, tag := range languages {
		// fyne follows the system's language and no other. So the chosen one goes under every tag that fyne may pick.
		from := tag
		if language != "" {
			from = language
		}
		if err := add(from, tag); err != nil {
			return err
		}
	}
	return nil
}

func add(from, tag string) error {
	names, err := fs.Glob(files, "translation/*."+from+".json")
	if err != nil {
		return fmt.Errorf("list texts: %w", err)
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err == nil {
			err = lang.AddTranslationsForLocale(b, fyne.Locale(tag))
		}
		if err != nil {
			return fmt.Errorf("read texts %s: %w", name, err)
		}
	}
	return nil
}

// T gives the text of a key. Args are pairs of a name and a value for the places {{.Name}} in it.
func T(key string, args ...any) string { return lang.X(key, key, places(args)) }

// N gives the text of a key for a number of things; the number itself, in the language's form, is at {{.Count}}.
func N(key string, n int64, args ...any) string {
	return lang.XN(key, key, int(min(n, 1<<31-1)), places(append([]any{"Count", Number(n)}, args...)))
}

func places(args []any) map[string]any {
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		if name, ok := args[i].(string); ok {
			m[name] = args[i+1]
		}
	}
	return m
}

// Shortcut names a key that is pressed with Ctrl, or with ⌘ on macOS.
func Shortcut(key string) string {
	if runtime.GOOS == "darwin" {
		return "⌘" + key
	}
	return T("app.shortcut", "Key", key)
}

// Has tells whether there is a text for key.
func Has(key string) bool { return lang.X(key, key) != key }

// Error gives what happened and the next step of an error: a coded error's own words, or that something went wrong inside.
func Error(err error) (title, text string) {
	text, shown := fault.Message(err)
	if !shown {
		return T("error.internal"), T("error.internal_text")
	}
	if key := "error.code." + string(fault.CodeOf(err)); Has(key) {
		return T(key), text
	}
	return T("error.any"), text
}

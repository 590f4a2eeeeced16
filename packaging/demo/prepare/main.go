// Prepare makes what the demo's other parts need, once, in the folder that it is given: free ports for the daemon and the REST
// server, and the REST server's certificate, user and password. What is there already is kept, so that a second run of the demo
// goes on with the same data.
//
// Files: ports (shell variables), rest/cert.pem, rest/key.pem, rest/htpasswd, rest/password, repository-password, admin-password.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/datafolder"
)

// restUser signs in to the demo's REST server.
const restUser = "demo"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: prepare FOLDER")
		os.Exit(2)
	}
	if err := prepare(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "prepare:", err)
		os.Exit(1)
	}
}

func prepare(dir string) error {
	for _, d := range []string{dir, filepath.Join(dir, "rest")} {
		if err := datafolder.Make(d); err != nil {
			return err
		}
	}
	for name, produce := range map[string]func(dir string) error{"ports": writePorts, "rest/cert.pem": writeCertificate, "rest/htpasswd": writePassword,
		"repository-password": secretIn("repository-password"), "admin-password": secretIn("admin-password")} {
		_, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			err = produce(dir)
		}
		if err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
	}
	return nil
}

// writePorts takes two ports that are free now; both are open at once so that they differ.
func writePorts(dir string) error {
	var ports []int
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return fmt.Errorf("listened on %v", l.Addr())
		}
		ports = append(ports, addr.Port)
	}
	return write(dir, "ports", fmt.Sprintf("DAEMON_PORT=%d\nREST_PORT=%d\n", ports[0], ports[1]))
}

func secretIn(name string) func(string) error {
	return func(dir string) error { return write(dir, name, rand.Text()+"\n") }
}

func writePassword(dir string) error {
	password := rand.Text()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	if err := write(dir, "rest/password", password+"\n"); err != nil {
		return err
	}
	return write(dir, "rest/htpasswd", restUser+":"+string(hash)+"\n")
}

// writeCertificate makes a certificate that is its own CA, for loopback only. The key comes first: the certificate's file tells
// that both are there.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(now.Unix()), Subject: pkix.Name{CommonName: "Backstay demo REST server"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := write(dir, "rest/key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))); err != nil {
		return err
	}
	return write(dir, "rest/cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

func write(dir, name, text string) error {
	return atomicfile.Write(filepath.Join(dir, name), []byte(text), 0o600)
}

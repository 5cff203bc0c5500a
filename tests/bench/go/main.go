// peer: what a program without Tollgate's guarantees costs, as it is usually written in Go: net/http and lib/pq, a
// prepared statement for each query, an explicit transaction. It checks a signature and writes an event and its
// subscription, and shows a page to a session's user. Nothing here is a model to follow: no roles, no row-level
// security, no forms, no languages, no log.
//
//	PEER_SOCKET=PATH PEER_DATABASE=CONNINFO PEER_SECRET=whsec_... peer
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq"
)

const connections = 32 // as many as the load has

const writeEvent = "insert into events (id, type) values ($1, $2) on conflict do nothing"

const writeSubscription = `insert into subscriptions (id, tenant_id, customer, status, price, period_end)
	values ($1, nullif($2, '')::uuid, $3, $4, $5, to_timestamp($6)) on conflict (id) do update
	set status = excluded.status, price = excluded.price, period_end = excluded.period_end`

type event struct {
	ID, Type string
	Data     struct {
		Object struct {
			ID, Customer, Status string
			Metadata             map[string]string
			Items                struct {
				Data []struct {
					Price     struct{ ID string }
					PeriodEnd int64 `json:"current_period_end"`
				}
			}
		}
	}
}

type peer struct {
	db                                   *sql.DB
	event, subscription, session, status *sql.Stmt
	secret                               []byte
}

func (p *peer) prepare(query string) *sql.Stmt {
	statement, err := p.db.Prepare(query)
	if err != nil {
		log.Fatal(err)
	}
	return statement
}

// signed tells whether the body has the signature of the header, not older than five minutes.
func (p *peer) signed(header string, body []byte) bool {
	var at, given string
	for _, part := range strings.Split(header, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			at = value
		case "v1":
			given = value
		}
	}
	mac := hmac.New(sha256.New, p.secret)
	io.WriteString(mac, at+".")
	mac.Write(body)
	seconds, err := strconv.ParseInt(at, 10, 64)
	wanted := hex.EncodeToString(mac.Sum(nil))
	return err == nil && time.Now().Unix()-seconds < 300 && hmac.Equal([]byte(given), []byte(wanted))
}

// store writes the event, and its subscription unless the event is known.
func (p *peer) store(e *event) error {
	tx, err := p.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	done, err := tx.Stmt(p.event).Exec(e.ID, e.Type)
	if err != nil {
		return err
	}
	if n, _ := done.RowsAffected(); n == 1 && len(e.Data.Object.Items.Data) > 0 {
		o := &e.Data.Object
		item := &o.Items.Data[0]
		_, err = tx.Stmt(p.subscription).Exec(o.ID, o.Metadata["tenant_id"], o.Customer, o.Status, item.Price.ID,
			item.PeriodEnd)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (p *peer) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var e event
	if err != nil || !p.signed(r.Header.Get("Stripe-Signature"), body) || json.Unmarshal(body, &e) != nil {
		http.Error(w, "refused", http.StatusBadRequest)
		return
	}
	if err := p.store(&e); err != nil {
		log.Print(err)
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"received":true}`)
}

// page shows the session's user and the state of the subscription, with the tenant in a setting of the transaction.
func (p *peer) page(w http.ResponseWriter, r *http.Request) {
	var user, email, status string
	cookie, err := r.Cookie("session")
	if err == nil {
		digest := sha256.Sum256([]byte(cookie.Value))
		err = p.session.QueryRow(digest[:]).Scan(&user, &email)
	}
	if err != nil {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	tx, err := p.db.Begin()
	if err == nil {
		defer tx.Rollback()
		_, err = tx.Exec("select set_config('peer.tenant', $1, true)", user)
	}
	if err == nil {
		err = tx.Stmt(p.status).QueryRow(user).Scan(&status)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		log.Print(err)
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "<!doctype html><h1>Workspace</h1><p>"+html.EscapeString(email)+"</p><p>"+
		html.EscapeString(status)+"</p>")
}

func main() {
	db, err := sql.Open("postgres", os.Getenv("PEER_DATABASE"))
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	p := &peer{db: db, secret: []byte(os.Getenv("PEER_SECRET"))}
	p.event, p.subscription = p.prepare(writeEvent), p.prepare(writeSubscription)
	p.session = p.prepare("select user_id, email from sessions where hash = $1 and expires_at > now()")
	p.status = p.prepare("select status from subscriptions where tenant_id = $1 limit 1")
	http.HandleFunc("/webhooks/stripe", p.webhook)
	http.HandleFunc("/workspace", p.page)
	socket, err := net.Listen("unix", os.Getenv("PEER_SOCKET"))
	if err != nil {
		log.Fatal(err)
	}
	os.Chmod(os.Getenv("PEER_SOCKET"), 0o777)
	log.Fatal(http.Serve(socket, nil))
}

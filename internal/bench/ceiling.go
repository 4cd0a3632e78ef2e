package main

import (
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	_ "modernc.org/sqlite" // the same engine as the server's
)

// rawHashes is how many argon2id hashes a second x/crypto makes on all cores with
// nothing around it.
func rawHashes(duration time.Duration) float64 {
	var done atomic.Int64
	var workers sync.WaitGroup
	start := time.Now()
	for range runtime.NumCPU() {
		workers.Go(func() {
			salt := make([]byte, 16)
			for time.Since(start) < duration {
				_, _ = rand.Read(salt)
				argon2.IDKey([]byte(password), salt, 2, 19*1024, 1, 32)
				done.Add(1)
			}
		})
	}
	workers.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

// rawRows is how many rows a second SQLite makes durable in groups of 128, WAL
// and synchronous=FULL, with nothing around it.
func rawRows(dir string, duration time.Duration) (float64, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "rows.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`create table if not exists rows (sequence integer primary key, at integer, realm text, dialect text, action text, outcome text, account text, address text, request text)`); err != nil {
		return 0, err
	}
	insert, err := db.Prepare(`insert into rows (at, realm, dialect, action, outcome, account, address, request) values ($1, $2, $3, $4, $5, $6, $7, $8)`)
	if err != nil {
		return 0, err
	}
	rows, start := 0, time.Now()
	for time.Since(start) < duration {
		tx, err := db.Begin()
		if err != nil {
			return 0, err
		}
		grouped := tx.Stmt(insert)
		for range 128 {
			if _, err := grouped.Exec(rows, "realm", "dialect", "exchange", "", "0ea70001-0f58-44a2-80ad-953633ff2cc7", "127.0.0.1", "0ea700010f5844a280ad953633ff2cc7"); err != nil {
				return 0, err
			}
			rows++
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
	}
	return float64(rows) / time.Since(start).Seconds(), nil
}

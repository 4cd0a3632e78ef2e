package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A request is the bytes of an HTTP/1.1 request, made once.
type request []byte

func newRequest(method, path, contentType, body string, headers ...string) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path)
	for _, header := range headers {
		b.WriteString(header + "\r\n")
	}
	if contentType != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// A conn is one keep-alive connection. It is leaner than net/http's client, which
// would take more of the two cores than the server that is measured.
type conn struct {
	address string
	net     net.Conn
	reader  *bufio.Reader
}

type reply struct {
	status     int
	retryAfter time.Duration
	body       []byte // valid until the next call
}

const replyTimeout = 30 * time.Second

// do sends one request and reads its reply, over a new connection if need be.
func (c *conn) do(r request) (reply, error) {
	if c.net == nil {
		var err error
		if c.net, err = net.Dial("tcp", c.address); err != nil {
			return reply{}, err
		}
		c.reader = bufio.NewReader(c.net)
	}
	_ = c.net.SetDeadline(time.Now().Add(replyTimeout))
	if _, err := c.net.Write(r); err != nil {
		c.close()
		return reply{}, err
	}
	answer, last, err := readReply(c.reader)
	if err != nil || last {
		c.close()
	}
	return answer, err
}

func (c *conn) close() {
	if c.net != nil {
		_ = c.net.Close()
		c.net = nil
	}
}

func readReply(r *bufio.Reader) (answer reply, last bool, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return reply{}, true, err
	}
	if len(line) < 12 {
		return reply{}, true, errors.New("no status line")
	}
	if answer.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return reply{}, true, err
	}
	length := 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return reply{}, true, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(value))
		case bytes.EqualFold(name, []byte("Retry-After")):
			var seconds int
			seconds, err = strconv.Atoi(string(value))
			answer.retryAfter = time.Duration(seconds) * time.Second
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")):
			last = true
		}
		if err != nil {
			return reply{}, true, err
		}
	}
	answer.body = make([]byte, length)
	_, err = io.ReadFull(r, answer.body)
	return answer, last, err
}

// A result is what a load run saw.
type result struct {
	replies map[int]int // by status; 0 counts connections that failed
	elapsed time.Duration
	times   []time.Duration // of replies with the wanted status, sorted
}

func (r result) rate(status int) float64 { return float64(r.replies[status]) / r.elapsed.Seconds() }

func (r result) percentile(p float64) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	return r.times[min(len(r.times)-1, int(p*float64(len(r.times))))]
}

// drive sends next(connection, n) over connections keep-alive connections until
// stop is closed or the time is over, and counts what comes back.
func drive(address string, connections int, duration time.Duration, want int, next func(connection, n int) request) result {
	var (
		mu      sync.Mutex
		total   = result{replies: map[int]int{}}
		workers sync.WaitGroup
		start   = time.Now()
		end     = start.Add(duration)
	)
	for i := range connections {
		workers.Go(func() {
			c := &conn{address: address}
			defer c.close()
			replies, times := map[int]int{}, []time.Duration(nil)
			for n := 0; time.Now().Before(end); n++ {
				begin := time.Now()
				answer, err := c.do(next(i, n))
				if err != nil {
					answer.status = 0
				}
				replies[answer.status]++
				if answer.status == want {
					times = append(times, time.Since(begin))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for status, n := range replies {
				total.replies[status] += n
			}
			total.times = append(total.times, times...)
		})
	}
	workers.Wait()
	total.elapsed = time.Since(start)
	slices.Sort(total.times)
	return total
}

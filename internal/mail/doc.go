// Package mail sends what waits in the outbox: it has each notice made out as a mail,
// renders it and hands it to a [Sender], again and again until it is delivered, refused
// or a day old.
//
// It does not know who may have a mail, nor what a link opens: that is core's
// Authority.ComposeMail. Start at [Worker.Run]; [SMTP] and [Folder] are the senders.
package mail

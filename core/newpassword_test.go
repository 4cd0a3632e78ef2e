package core

import "testing"

func TestCheckPassword(t *testing.T) {
	own := []string{"chancery", "customers", "Ada.Lovelace@example.com", "Ada Lovelace"}
	for _, tt := range []struct {
		name, password, reason string
	}{
		{"too short", "1234567", "the password must have at least 8 characters"},
		{"characters, not bytes", "пароль1", "the password must have at least 8 characters"},
		{"the commonest", "password", common},
		{"in capitals", "PASSWORD", common},
		{"of the keyboard", "1qaz2wsx", common},
		{"a common one with more behind it", "password is what I say", ""},
		{"a phrase", "correct horse battery staple", ""},
		{"a long one", string(make([]byte, 128)), ""},
		{"the login name", "ada.lovelace@example.com", ofOwn},
		{"its parts", "Lovelace.1815", ofOwn},
		{"the service", "Chancery2026", ofOwn},
		{"the realm twice", "customers-customers", ofOwn},
		{"an own word in a phrase", "lovelace met babbage", ""},
		{"a short own word", "adadadada1234567x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := CheckPassword(NewSecret(tt.password), own...); err != nil {
				if KindOf(err) != PasswordRefused {
					t.Fatalf("CheckPassword() = %v", err)
				}
				got = err.(*Error).Reason
			}
			if got != tt.reason {
				t.Errorf("CheckPassword() says %q, want %q", got, tt.reason)
			}
		})
	}
}

const (
	common = "the password is among the most common ones: choose one that nobody else would"
	ofOwn  = "the password is made of the account's or the service's own name: choose another one"
)

// TestCommonPasswords asks for some of the 3,000 commonest that are long enough (S10),
// and wants few others to be taken for them.
func TestCommonPasswords(t *testing.T) {
	for _, password := range []string{
		"password", "12345678", "123456789", "baseball", "football", "qwertyuiop", "1234567890", "superman", "trustno1", "sunshine",
		"iloveyou", "starwars", "princess", "11111111", "1234qwer", "password1", "letmein1", "welcome1", "passw0rd", "abcd1234",
	} {
		if !commonPassword(password) {
			t.Errorf("%q is not known to be common", password)
		}
	}
	taken := 0
	for range 200_000 {
		if commonPassword(randomText()) {
			taken++
		}
	}
	if taken > 20 { // 3 are to be expected
		t.Errorf("%d of 200,000 random passwords are taken for common ones", taken)
	}
}

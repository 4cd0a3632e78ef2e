# Datafiniti: sign in by JSON over TLS, then call with the token.
require 'json'
require 'net/http'
require 'uri'

def call(request, uri)
  http = Net::HTTP.new(uri.host, uri.port)
  http.use_ssl = true
  http.request(request)
end

uri = URI("#{ENV.fetch('BASE_URL')}/v4/auth")
login = Net::HTTP::Post.new(uri)
login['Content-Type'] = 'application/json'
login.body = { email: ENV.fetch('IDENTIFIER'), password: ENV.fetch('SECRET') }.to_json
token = JSON.parse(call(login, uri).body)['token']

uri = URI("#{ENV.fetch('BASE_URL')}/v4/data")
data = Net::HTTP::Get.new(uri)
data['Authorization'] = "Bearer #{token}"
puts call(data, uri).body

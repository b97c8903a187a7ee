#!/usr/bin/perl
# Perl without anything from CPAN: perl http_tiny.pl URL TOKEN TOPIC EVENT DATA
use strict;
use warnings;
use HTTP::Tiny;

utf8::decode($_) for @ARGV;    # HTTP::Tiny encodes characters, so give it characters and not bytes
my ($url, $token, $topic, $event, $data) = @ARGV;
my $answer = HTTP::Tiny->new(timeout => 5)->post_form($url,
    { topic => $topic, event => $event, data => $data },
    { headers => { Authorization => "Bearer $token" } });
print $answer->{content};

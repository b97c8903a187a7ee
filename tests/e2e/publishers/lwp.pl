#!/usr/bin/perl
# Perl with LWP: perl lwp.pl URL TOKEN TOPIC EVENT DATA
use strict;
use warnings;
use LWP::UserAgent;

my ($url, $token, $topic, $event, $data) = @ARGV;
my $answer = LWP::UserAgent->new(timeout => 5)->post($url,
    Authorization => "Bearer $token",
    Content => [ topic => $topic, event => $event, data => $data ]);
print $answer->content;

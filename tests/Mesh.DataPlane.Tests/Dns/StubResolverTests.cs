using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Dns;
using Mesh.TestNet;
using Mesh.TestNet.Dns;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>The resolver against real servers on this machine; its clock is the test's.</summary>
public sealed class StubResolverTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Asks_with_recursion_and_room_for_more_than_512_bytes()
    {
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1", 42));

        var resolution = await ResolveAsync(Conf(server), "reviews.example");

        resolution.Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
        resolution.TimeToLive.ShouldBe(TimeSpan.FromSeconds(42));
        resolution.Failure.ShouldBeNull();
        var question = server.Seen.ShouldHaveSingleItem();
        (question.Name, question.Type, question.Flags, question.Payload).ShouldBe(("reviews.example.", DnsPacket.A, (ushort)0x0100, (ushort?)1232));
    }

    [Fact]
    public async Task Each_question_has_another_id_and_another_port()
    {
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));
        var resolver = Resolver(Conf(server), random: new SeededRandomSource(1));

        for (var i = 0; i < 20; i++)
        {
            await resolver.ResolveAsync(new DnsQuery("reviews.example", DnsLookupFamily.V4Only), CancellationToken.None);
        }

        server.Seen.Select(q => q.Id).Distinct().Count().ShouldBe(20);
        server.Seen.Select(q => q.From.Port).Distinct().Count().ShouldBeGreaterThan(10);
    }

    [Fact]
    public async Task A_truncated_answer_is_fetched_over_TCP()
    {
        await using var server = DnsServer.Answering(q => q.IsTcp
            ? Enumerable.Range(0, 500).Aggregate(q.Respond(500), (packet, i) => packet.Address(q.Name, $"10.0.{i / 250}.{(i % 250) + 1}"))
            : q.Respond(more: 0x0200));

        var resolution = await ResolveAsync(Conf(server), "reviews.example");

        resolution.Addresses.Count.ShouldBe(500);
        server.Seen.Select(q => q.IsTcp).ShouldBe([false, true]);
    }

    [Fact]
    public async Task TCP_alone_when_the_cluster_or_the_file_says_so()
    {
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));

        await ResolveAsync(Conf(server), new DnsQuery("reviews.example", DnsLookupFamily.V4Only, UseTcp: true));
        await ResolveAsync(Conf(server) with { UseTcp = true }, "reviews.example");

        server.Seen.Select(q => q.IsTcp).ShouldBe([true, true]);
    }

    [Fact]
    public async Task Answers_of_who_guesses_are_passed_over()
    {
        await using var server = DnsServer.Start(q =>
        [
            DnsPacket.Response((ushort)(q.Id + 1), q.Name, q.Type, 1).Address(q.Name, "6.6.6.6").ToArray(),
            DnsPacket.Response(q.Id, "other.example", q.Type, 1).Address("other.example", "6.6.6.6").ToArray(),
            DnsPacket.Response(q.Id, q.Name, DnsPacket.Aaaa, 1).Address(q.Name, "::6").ToArray(),
            [1, 2, 3],
            q.Respond(1).Address(q.Name, "10.0.0.1").ToArray(),
        ]);

        (await ResolveAsync(Conf(server), "reviews.example")).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
    }

    [Fact]
    public async Task An_answer_from_another_place_than_the_server_asked_is_passed_over()
    {
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var server = DnsServer.Start(q =>
        {
            stranger.SendTo(q.Respond(1).Address(q.Name, "6.6.6.6").ToArray(), q.From);
            return [q.Respond(1).Address(q.Name, "10.0.0.1").ToArray()];
        });

        (await ResolveAsync(Conf(server), "reviews.example")).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
    }

    [Fact]
    public async Task A_silent_server_is_left_for_the_next_when_its_time_is_over()
    {
        await using var silent = DnsServer.Answering(_ => null);
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));
        var waiting = ResolveAsync(Conf(silent, server), "reviews.example");

        await _time.WaitForTimersAsync(1).WaitAsync(Hang);
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        server.Seen.ShouldBeEmpty();
        _time.Advance(TimeSpan.FromTicks(1));

        (await waiting.WaitAsync(Hang)).Addresses.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Servers_are_gone_through_as_often_as_the_file_says_and_later_ones_are_waited_for_in_proportion()
    {
        await using var a = DnsServer.Answering(_ => null);
        await using var b = DnsServer.Answering(_ => null);
        var waiting = ResolveAsync(Conf(a, b) with { Attempts = 2 }, "reviews.example");

        // 5 s for the first of two; for the second 5 s × 2 / 2.
        for (var i = 0; i < 4; i++)
        {
            waiting.IsCompleted.ShouldBeFalse();
            await (i % 2 == 0 ? a : b).ArrivedAsync().WaitAsync(Hang);
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        var resolution = await waiting.WaitAsync(Hang);
        resolution.Failure.ShouldNotBeNull().ShouldContain($"{b.EndPoint} did not answer within 5 s");
        (a.Seen.Count, b.Seen.Count).ShouldBe((2, 2));
    }

    [Fact]
    public async Task A_server_that_is_in_trouble_or_refuses_or_talks_nonsense_is_left_at_once()
    {
        await using var broken = DnsServer.Answering(q => q.Respond(more: 2));
        await using var refusing = DnsServer.Answering(q => q.Respond(more: 5));
        await using var nonsense = DnsServer.Start(q => [q.Respond(40).ToArray()]);
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));

        (await ResolveAsync(Conf(broken, refusing, server), "reviews.example")).Addresses.Count.ShouldBe(1);
        (await ResolveAsync(Conf(nonsense, server), "reviews.example")).Addresses.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_does_not_listen_is_left_at_once()
    {
        // Nobody else is given it while it is asked.
        var gone = new IPEndPoint(IPAddress.Loopback, FreePort.Next());
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));

        (await ResolveAsync(new ResolvConf([gone, server.EndPoint], []), "reviews.example")).Addresses.Count.ShouldBe(1);
        (await ResolveAsync(new ResolvConf([gone], []), "reviews.example")).Failure.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_server_that_does_not_know_the_extension_is_asked_without_it()
    {
        await using var server = DnsServer.Answering(q => q.Payload is null
            ? q.Respond(1).Address(q.Name, "10.0.0.1")
            : DnsPacket.Header(q.Id, 0x8181, questions: 0));

        (await ResolveAsync(Conf(server), "reviews.example")).Addresses.Count.ShouldBe(1);
        server.Seen.Select(q => q.Payload).ShouldBe([(ushort)1232, null]);
    }

    [Fact]
    public async Task Rotation_begins_at_each_server_in_turn()
    {
        await using var a = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));
        await using var b = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));
        var resolver = Resolver(Conf(a, b) with { Rotate = true });

        for (var i = 0; i < 4; i++)
        {
            await resolver.ResolveAsync(new DnsQuery("reviews.example", DnsLookupFamily.V4Only), CancellationToken.None);
        }

        (a.Seen.Count, b.Seen.Count).ShouldBe((2, 2));
    }

    [Fact]
    public async Task The_search_list_is_gone_through_until_a_name_has_addresses()
    {
        await using var server = Zone(new() { ["reviews.svc.cluster.local."] = "10.0.0.1", ["reviews."] = "6.6.6.6" });
        var conf = Conf(server) with { Search = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], Ndots = 5 };

        (await ResolveAsync(conf, "reviews")).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
        server.Seen.Select(q => q.Name).ShouldBe(["reviews.default.svc.cluster.local.", "reviews.svc.cluster.local."]);
    }

    [Fact]
    public async Task That_a_name_has_no_addresses_takes_the_word_of_the_whole_search_list()
    {
        await using var server = DnsServer.Answering(q => q.Name.StartsWith("reviews.a.", StringComparison.Ordinal)
            ? q.Respond(authorities: 1).Zone("example", 60, 20)
            : q.Respond(authorities: 1, more: 3).Zone("example", 60, 40));

        var resolution = await ResolveAsync(Conf(server) with { Search = ["a.example", "b.example"] }, "reviews");

        (resolution.Addresses.Count, resolution.Failure, resolution.TimeToLive).ShouldBe((0, null, TimeSpan.FromSeconds(20)));
        server.Seen.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Trouble_with_one_domain_does_not_turn_into_the_word_that_there_are_no_addresses()
    {
        await using var server = DnsServer.Answering(q => q.Respond(more: (ushort)(q.Name == "reviews.a.example." ? 2 : 3)));

        (await ResolveAsync(Conf(server) with { Search = ["a.example", "b.example"], Attempts = 1 }, "reviews")).Failure.ShouldNotBeNull();
        server.Seen.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData((int)DnsLookupFamily.V4Only, "10.0.0.1", "A")]
    [InlineData((int)DnsLookupFamily.V6Only, "fd00::1", "AAAA")]
    [InlineData((int)DnsLookupFamily.Auto, "fd00::1", "AAAA")]
    [InlineData((int)DnsLookupFamily.V4Preferred, "10.0.0.1", "A")]
    [InlineData((int)DnsLookupFamily.All, "10.0.0.1 fd00::1", "A AAAA")]
    public async Task Families_of_a_name_that_has_both(int family, string expected, string asked)
    {
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, q.Type == DnsPacket.A ? "10.0.0.1" : "fd00::1"));

        (await ResolveAsync(Conf(server), new DnsQuery("reviews.example", (DnsLookupFamily)family))).Addresses.ShouldBe(expected.Split(' ').Select(IPAddress.Parse));
        server.Seen.Select(q => q.Type == DnsPacket.A ? "A" : "AAAA").Order().ShouldBe(asked.Split(' '));
    }

    [Theory]
    [InlineData((int)DnsLookupFamily.Auto)]
    [InlineData((int)DnsLookupFamily.V4Preferred)]
    [InlineData((int)DnsLookupFamily.All)]
    public async Task Families_of_a_name_that_has_only_the_other(int family)
    {
        var address = family == (int)DnsLookupFamily.Auto ? "10.0.0.1" : "fd00::1";
        var type = family == (int)DnsLookupFamily.Auto ? DnsPacket.A : DnsPacket.Aaaa;
        await using var server = DnsServer.Answering(q => q.Type == type ? q.Respond(1).Address(q.Name, address, 7) : q.Respond());

        var resolution = await ResolveAsync(Conf(server), new DnsQuery("reviews.example", (DnsLookupFamily)family));

        resolution.Addresses.ShouldBe([IPAddress.Parse(address)]);
        resolution.TimeToLive.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_not_asked_for_in_the_other_family()
    {
        await using var server = DnsServer.Answering(q => q.Respond(more: 3));

        (await ResolveAsync(Conf(server), new DnsQuery("reviews.example", DnsLookupFamily.Auto))).Addresses.ShouldBeEmpty();
        server.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Without_IPv6_its_addresses_are_not_asked_for()
    {
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.1"));

        (await ResolveAsync(Conf(server) with { NoIPv6 = true }, new DnsQuery("reviews.example", DnsLookupFamily.All))).Addresses.Count.ShouldBe(1);
        server.Seen.ShouldHaveSingleItem().Type.ShouldBe(DnsPacket.A);
    }

    [Fact]
    public async Task Aliases_that_the_server_does_not_follow_are_followed_here()
    {
        await using var server = DnsServer.Answering(q => q.Name == "reviews.example."
            ? q.Respond(1).Alias(q.Name, "reviews.cdn.example", 9)
            : q.Respond(1).Address(q.Name, "10.0.0.1", 300));

        var resolution = await ResolveAsync(Conf(server), "reviews.example");

        resolution.Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
        resolution.TimeToLive.ShouldBe(TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task Aliases_that_never_end_end_in_a_failure()
    {
        var next = 0;
        await using var server = DnsServer.Answering(q => q.Respond(1).Alias(q.Name, $"a{++next}.example"));

        (await ResolveAsync(Conf(server), "reviews.example")).Failure.ShouldNotBeNull();
        server.Seen.Count.ShouldBe(8);
    }

    [Fact]
    public async Task The_hosts_file_and_addresses_ask_nobody()
    {
        await using var server = DnsServer.Answering(_ => null);
        var resolver = Resolver(Conf(server), HostsFile.Parse("10.0.0.7 reviews\nfd00::7 reviews"));

        async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, DnsLookupFamily family)
            => (await resolver.ResolveAsync(new DnsQuery(host, family), CancellationToken.None)).Addresses;

        (await ResolveAsync("reviews", DnsLookupFamily.V4Only)).ShouldBe([IPAddress.Parse("10.0.0.7")]);
        (await ResolveAsync("reviews", DnsLookupFamily.Auto)).ShouldBe([IPAddress.Parse("fd00::7")]);
        (await ResolveAsync("10.1.2.3", DnsLookupFamily.Auto)).ShouldBe([IPAddress.Parse("10.1.2.3")]);
        server.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_gives_up_gets_an_end_at_once()
    {
        await using var silent = DnsServer.Answering(_ => null);
        using var stop = new CancellationTokenSource();
        var waiting = Resolver(Conf(silent)).ResolveAsync(new DnsQuery("reviews.example", DnsLookupFamily.V4Only), stop.Token).AsTask();
        await _time.WaitForTimersAsync(1).WaitAsync(Hang);

        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(waiting.WaitAsync(Hang));
    }

    [Fact]
    public async Task A_thousand_names_at_once_are_asked_for_in_turns()
    {
        var names = new ConcurrentDictionary<string, int>();
        await using var server = DnsServer.Answering(q =>
        {
            names.TryAdd(q.Name, 0);
            return q.Respond(1).Address(q.Name, "10.0.0.1");
        });
        var resolver = Resolver(Conf(server) with { UseTcp = false });

        var all = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => resolver.ResolveAsync(new DnsQuery($"n{i}.example", DnsLookupFamily.V4Only), CancellationToken.None).AsTask())).WaitAsync(Hang);

        all.ShouldAllBe(r => r.Addresses.Count == 1);
        names.Count.ShouldBe(1000);
    }

    private static DnsServer Zone(Dictionary<string, string> addresses)
        => DnsServer.Answering(q => addresses.TryGetValue(q.Name, out var address) ? q.Respond(1).Address(q.Name, address) : q.Respond(more: 3));

    private static ResolvConf Conf(params DnsServer[] servers) => new([.. servers.Select(s => s.EndPoint)], []);

    private StubResolver Resolver(ResolvConf conf, HostsFile? hosts = null, IRandomSource? random = null)
        => new(() => conf, () => hosts ?? HostsFile.Parse(""), random ?? CryptoRandomSource.Instance, _time);

    private Task<DnsResolution> ResolveAsync(ResolvConf conf, string host) => ResolveAsync(conf, new DnsQuery(host, DnsLookupFamily.V4Only));

    private async Task<DnsResolution> ResolveAsync(ResolvConf conf, DnsQuery query)
        => await Resolver(conf).ResolveAsync(query, CancellationToken.None).AsTask().WaitAsync(Hang);
}

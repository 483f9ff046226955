using System.Net;
using Mesh.DataPlane.Dns;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary><c>resolv.conf</c> and <c>hosts</c> as other programs on the machine read them.</summary>
public sealed class ResolvConfTests
{
    [Fact]
    public void A_file_as_Kubernetes_writes_it()
    {
        var conf = Parse("nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n");

        conf.Servers.ShouldBe([new IPEndPoint(IPAddress.Parse("10.96.0.10"), 53)]);
        conf.Search.ShouldBe(["default.svc.cluster.local", "svc.cluster.local", "cluster.local"]);
        conf.Ndots.ShouldBe(5);
        conf.Timeout.ShouldBe(TimeSpan.FromSeconds(5));
        conf.Attempts.ShouldBe(2);
    }

    [Fact]
    public void The_machine_itself_is_asked_when_no_server_is_named() => Parse("").Servers.ShouldBe([new IPEndPoint(IPAddress.Loopback, 53)]);

    [Fact]
    public void Three_servers_are_enough_and_what_is_no_address_is_passed_over()
        => Parse("nameserver 1.1.1.1\nnameserver dns\n#nameserver 9.9.9.9\nnameserver fe80::1%2\n\tnameserver 2.2.2.2\nnameserver 3.3.3.3")
            .Servers.Select(s => s.Address.ToString()).ShouldBe(["1.1.1.1", "fe80::1%2", "2.2.2.2"]);

    [Fact]
    public void The_last_of_domain_and_search_counts()
    {
        Parse("search a.example b.example\ndomain c.example").Search.ShouldBe(["c.example"]);
        Parse("domain c.example\nsearch a.example. .").Search.ShouldBe(["a.example"]);
    }

    [Fact]
    public void Without_either_the_machine_s_own_domain_is_searched() => Parse("nameserver 1.1.1.1", "web1.shop.example").Search.ShouldBe(["shop.example"]);

    [Fact]
    public void Options_have_bounds()
    {
        var conf = Parse("options ndots:99 timeout:99 attempts:99 rotate use-vc no-aaaa no-tld-query timeout:x unheard-of");

        (conf.Ndots, conf.Timeout, conf.Attempts).ShouldBe((15, TimeSpan.FromSeconds(30), 5));
        (conf.Rotate, conf.UseTcp, conf.NoIPv6, conf.NoTopLevel).ShouldBe((true, true, true, true));
        Parse("options timeout:0 attempts:0").ShouldSatisfyAllConditions(c => c.Timeout.ShouldBe(TimeSpan.FromSeconds(1)), c => c.Attempts.ShouldBe(1));
    }

    [Fact]
    public void The_environment_overrides_the_file()
    {
        var conf = ResolvConf.Parse(
            "search a.example\noptions ndots:5",
            "web1",
            name => name == "LOCALDOMAIN" ? "b.example c.example" : name == "RES_OPTIONS" ? "ndots:2 rotate" : null);

        conf.Search.ShouldBe(["b.example", "c.example"]);
        (conf.Ndots, conf.Rotate).ShouldBe((2, true));
    }

    [Theory]
    [InlineData("reviews", 1, "reviews.a.example|reviews.b.example|reviews")]
    [InlineData("reviews.default", 1, "reviews.default|reviews.default.a.example|reviews.default.b.example")]
    [InlineData("reviews.default", 2, "reviews.default.a.example|reviews.default.b.example|reviews.default")]
    [InlineData("reviews.", 5, "reviews.")]
    [InlineData("reviews", 0, "reviews|reviews.a.example|reviews.b.example")]
    public void A_short_name_is_searched_for(string host, int ndots, string expected)
        => StubResolver.Candidates(new ResolvConf([], ["a.example", "b.example"]) { Ndots = ndots }, host).ShouldBe(expected.Split('|'));

    [Fact]
    public void A_name_without_a_dot_need_not_leave_the_search_list()
        => StubResolver.Candidates(new ResolvConf([], ["a.example"]) { NoTopLevel = true }, "reviews").ShouldBe(["reviews.a.example"]);

    [Fact]
    public void Hosts_have_several_names_and_names_several_addresses()
    {
        var hosts = HostsFile.Parse("# comment\n10.0.0.1 Reviews reviews.example # not.this\n::1\tip6-loopback\nnonsense here\n10.0.0.2 reviews.example.\n10.0.0.3\n");

        hosts.Find("reviews").ShouldBe([IPAddress.Parse("10.0.0.1")]);
        hosts.Find("REVIEWS.example.").ShouldBe([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2")]);
        hosts.Find("not.this").ShouldBeEmpty();
        hosts.Find("here").ShouldBeEmpty();
    }

    [Fact]
    public void Localhost_never_leaves_the_machine()
    {
        HostsFile.Parse("").Find("api.localhost").ShouldBe([IPAddress.Loopback, IPAddress.IPv6Loopback]);
        HostsFile.Parse("127.0.0.9 localhost").Find("localhost").ShouldBe([IPAddress.Parse("127.0.0.9")]);
    }

    [Fact]
    public void A_file_is_read_again_when_it_has_changed_and_kept_while_it_is_away()
    {
        var path = Path.GetTempFileName();
        try
        {
            var parsed = 0;
            var file = new WatchedFile<string>(path, text =>
            {
                parsed++;
                return text;
            });
            File.WriteAllText(path, "one");
            file.Read().ShouldBe("one");
            file.Read().ShouldBe("one");
            parsed.ShouldBe(1);

            File.WriteAllText(path, "three");
            file.Read().ShouldBe("three");

            File.Delete(path);
            file.Read().ShouldBe("three");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static ResolvConf Parse(string text, string hostName = "web1") => ResolvConf.Parse(text, hostName, _ => null);
}

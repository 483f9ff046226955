using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using static Envoy.Config.Core.V3.HeaderValueOption.Types;

namespace Mesh.DataPlane.Tests.Decoding;

/// <summary>What routes may not do to a message, and the path that the NACK carries.</summary>
public class RouteRejectionTests
{
    private const string Route0 = "virtual_hosts[0].routes[0]";

    [Theory]
    [InlineData(":path")]
    [InlineData(":authority")]
    [InlineData("host")]
    [InlineData("Host")]
    [InlineData("content-length")]
    [InlineData("Transfer-Encoding")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("naïve")]
    public void A_header_that_may_not_be_set_or_removed(string name)
    {
        Refused(r => r.RequestHeadersToAdd.Add(Header(name, "x")), $"{Route0}.request_headers_to_add[0].header.key");
        Refused(r => r.ResponseHeadersToAdd.Add(Header(name, "x")), $"{Route0}.response_headers_to_add[0].header.key");
        Refused(r => r.RequestHeadersToRemove.Add(name), $"{Route0}.request_headers_to_remove[0]");
        Refused(r => r.ResponseHeadersToRemove.Add(name), $"{Route0}.response_headers_to_remove[0]");
    }

    [Theory]
    [InlineData("a\r\nb")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("a\u0001b")]
    public void A_value_that_would_end_its_header(string value)
        => Refused(r => r.RequestHeadersToAdd.Add(Header("x-a", value)), $"{Route0}.request_headers_to_add[0].header.value");

    [Theory]
    [InlineData("%NO_SUCH%", "position 0")]
    [InlineData("abc %REQ%", "position 4")]
    [InlineData("%ENVIRONMENT(SECRET)%", "environment")]
    public void A_format_that_means_nothing_here(string value, string reason)
        => Refused(r => r.ResponseHeadersToAdd.Add(Header("x-a", value)), $"{Route0}.response_headers_to_add[0].header.value").Reason.ShouldContain(reason);

    [Fact]
    public void Both_spellings_of_an_action()
        => Refused(
            r =>
            {
                var header = Header("x-a", "b");
                header.AppendAction = HeaderAppendAction.OverwriteIfExists;
#pragma warning disable CS0612
                header.Append = true;
#pragma warning restore CS0612
                r.RequestHeadersToAdd.Add(header);
            },
            $"{Route0}.request_headers_to_add[0].append");

    [Fact]
    public void Levels_above_the_route_and_below_it_are_held_to_the_same()
    {
        RefusedConfiguration(c => c.RequestHeadersToAdd.Add(Header("host", "x")), "request_headers_to_add[0].header.key");
        RefusedConfiguration(c => c.VirtualHosts[0].ResponseHeadersToRemove.Add(":status"), "virtual_hosts[0].response_headers_to_remove[0]");
        Refused(
            r =>
            {
                var cluster = new WeightedCluster.Types.ClusterWeight { Name = "c", Weight = 1 };
                cluster.RequestHeadersToAdd.Add(Header(":method", "PUT"));
                r.Route_.WeightedClusters = new WeightedCluster { Clusters = { cluster } };
            },
            $"{Route0}.route.weighted_clusters.clusters[0].request_headers_to_add[0].header.key");
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("user@host")]
    [InlineData("host/path")]
    [InlineData("host:port")]
    [InlineData("[::1")]
    public void A_host_that_is_none(string host)
    {
        Refused(r => r.Route_.HostRewriteLiteral = host, $"{Route0}.route.host_rewrite_literal");
        Redirect(a => a.HostRedirect = host, "host_redirect");
    }

    [Fact]
    public void Rewrites_that_contradict_or_cannot_be_sent()
    {
        Refused(
            r =>
            {
                r.Route_.PrefixRewrite = "/a";
                r.Route_.PathRewrite = "/b";
            },
            $"{Route0}.route");
        Refused(r => r.Route_.PrefixRewrite = "/a b", $"{Route0}.route.prefix_rewrite");
        Refused(r => r.Route_.PrefixRewrite = "/a#b", $"{Route0}.route.prefix_rewrite");
        Refused(r => r.Route_.AppendXForwardedHost = true, $"{Route0}.route.append_x_forwarded_host");
        Refused(r => r.Route_.RegexRewrite = Regex("(a)", @"\2"), $"{Route0}.route.regex_rewrite.substitution");
        Refused(r => r.Route_.RegexRewrite = Regex("(a", "b"), $"{Route0}.route.regex_rewrite.pattern.regex");
        Refused(r => r.Route_.HostRewritePathRegex = Regex("a", @"\x"), $"{Route0}.route.host_rewrite_path_regex.substitution");
        Refused(r => r.Route_.PathRewrite = "%NOPE%", $"{Route0}.route.path_rewrite");
    }

    [Fact]
    public void Redirects_that_lead_nowhere()
    {
        Redirect(a => a.PortRedirect = 65536, "port_redirect");
        Redirect(a => a.SchemeRedirect = "ht tp", "scheme_redirect");
        Redirect(a => a.PathRedirect = "/a b", "path_redirect");
        Redirect(a => a.RegexRewrite = Regex("a", @"\1"), "regex_rewrite.substitution");
    }

    [Fact]
    public void A_mirror_that_names_no_cluster_or_two()
    {
        Refused(r => r.Route_.RequestMirrorPolicies.Add(new RouteAction.Types.RequestMirrorPolicy()), $"{Route0}.route.request_mirror_policies[0]");
        Refused(
            r => r.Route_.RequestMirrorPolicies.Add(new RouteAction.Types.RequestMirrorPolicy { Cluster = "a", ClusterHeader = "b" }),
            $"{Route0}.route.request_mirror_policies[0]");
    }

    [Fact]
    public void A_command_without_a_value_here_is_told()
    {
        var configuration = Resources.Routes("r", Resources.Prefix("/", "c"));
        configuration.VirtualHosts[0].Routes[0].RequestHeadersToAdd.Add(Header("x-a", "%DOWNSTREAM_REMOTE_ADDRESS%"));
        ((RouteConfigurationResource)RouteConfigurationType.Instance.Decode(configuration.ToByteString(), out _))
            .Notes.ShouldHaveSingleItem().ShouldContain("%DOWNSTREAM_REMOTE_ADDRESS%");
    }

    private static HeaderValueOption Header(string name, string value) => new() { Header = new HeaderValue { Key = name, Value = value } };

    private static RegexMatchAndSubstitute Regex(string pattern, string substitution) => new() { Pattern = new RegexMatcher { Regex = pattern }, Substitution = substitution };

    private static void Redirect(Action<RedirectAction> change, string field)
        => Refused(
            r =>
            {
                r.Redirect = new RedirectAction();
                change(r.Redirect);
            },
            $"{Route0}.redirect.{field}");

    private static ResourceRejectedException Refused(Action<Route> change, string field) => RefusedConfiguration(c => change(c.VirtualHosts[0].Routes[0]), field);

    private static ResourceRejectedException RefusedConfiguration(Action<RouteConfiguration> change, string field)
    {
        var configuration = Resources.Routes("r", Resources.Prefix("/", "c"));
        change(configuration);
        var refused = Should.Throw<ResourceRejectedException>(() => RouteConfigurationType.Instance.Decode(configuration.ToByteString(), out _));
        refused.Field.ShouldBe(field);
        return refused;
    }
}

using System.Globalization;
using Envoy.Config.Route.V3;
using Mesh.Cli.Output;
using Mesh.Xds.Json;

namespace Mesh.Cli.ProxyConfig;

/// <summary>Routes: which requests go by which rule.</summary>
internal static class RouteTable
{
    private const int MaxDomains = 2;

    public static Table Of(IEnumerable<RouteConfiguration> configurations)
    {
        var table = new Table("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE");
        foreach (var configuration in configurations.OrderBy(configuration => configuration.Name, StringComparer.Ordinal))
        {
            foreach (var host in configuration.VirtualHosts)
            {
                foreach (var route in host.Routes)
                {
                    table.Add(configuration.Name, host.Name, DomainsOf(host), MatchOf(route), RuleOf(route));
                }

                if (host.Routes.Count == 0)
                {
                    table.Add(configuration.Name, host.Name, DomainsOf(host), "/*", "404");
                }
            }
        }

        return table;
    }

    /// <summary>The path that a route is for.</summary>
    public static string PathOf(Route route) => route.Match?.PathSpecifierCase switch
    {
        RouteMatch.PathSpecifierOneofCase.Prefix => route.Match.Prefix + "*",
        RouteMatch.PathSpecifierOneofCase.PathSeparatedPrefix => route.Match.PathSeparatedPrefix + "*",
        RouteMatch.PathSpecifierOneofCase.Path => route.Match.Path,
        RouteMatch.PathSpecifierOneofCase.SafeRegex => "regex " + route.Match.SafeRegex.Regex,
        RouteMatch.PathSpecifierOneofCase.ConnectMatcher => "CONNECT",
        RouteMatch.PathSpecifierOneofCase.PathMatchPolicy => "template",
        _ => "/*",
    };

    private static string MatchOf(Route route)
    {
        var conditions = route.Match?.Headers.Select(header => HeaderWords.Of(header))
            .Concat(route.Match.QueryParameters.Select(parameter => $"query {parameter.Name}"))
            .Concat(route.Match.RuntimeFraction is null ? [] : ["a share"]) ?? [];
        return string.Join("; ", conditions.Prepend(PathOf(route)));
    }

    private static string RuleOf(Route route)
        => IstioConfigPath.Of(route.Metadata) is { Length: > 0 } rule ? rule
            : route.ActionCase switch
            {
                Route.ActionOneofCase.DirectResponse => route.DirectResponse.Status.ToString(CultureInfo.InvariantCulture),
                Route.ActionOneofCase.Redirect => "redirect",
                _ => "",
            };

    /// <summary>As istioctl: those with a port behind them say nothing new.</summary>
    private static string DomainsOf(VirtualHost host)
    {
        var all = host.Domains.ToHashSet(StringComparer.Ordinal);
        var names = host.Domains.Where(domain => domain.LastIndexOf(':') is var colon && (colon < 0 || !all.Contains(domain[..colon]))).OrderBy(domain => domain.Length).ToArray();
        return string.Join(", ", names.Take(MaxDomains)) + (names.Length > MaxDomains ? $" + {names.Length - MaxDomains} more..." : "");
    }
}

using System.Globalization;
using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>Whom to ask and how: <c>resolv.conf(5)</c> as glibc reads it.</summary>
/// <param name="Servers">The servers, at most three.</param>
/// <param name="Search">The domains in which short names are looked for.</param>
internal sealed record ResolvConf(IReadOnlyList<IPEndPoint> Servers, IReadOnlyList<string> Search)
{
    public const string Path = "/etc/resolv.conf";

    /// <summary>glibc's <c>MAXNS</c>.</summary>
    public const int MaxServers = 3;

    private const int Port = 53;
    private const int MaxSearch = 32;
    private const int MaxNdots = 15;
    private const int MaxTimeout = 30;
    private const int MaxAttempts = 5;

    /// <summary>A name with that many dots is asked for as it stands first.</summary>
    public int Ndots { get; init; } = 1;

    /// <summary>How long the first server is waited for; later ones longer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the servers are gone through.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>Queries begin at each server in turn.</summary>
    public bool Rotate { get; init; }

    /// <summary><c>use-vc</c>: TCP alone.</summary>
    public bool UseTcp { get; init; }

    /// <summary><c>no-aaaa</c>: there is no IPv6 here, its addresses are not asked for.</summary>
    public bool NoIPv6 { get; init; }

    /// <summary><c>no-tld-query</c>: a name without a dot is not asked for as it stands.</summary>
    public bool NoTopLevel { get; init; }

    /// <param name="text">The file; what is not understood in it is passed over, as glibc does.</param>
    /// <param name="hostName">The name of this machine, whose domain is searched when the file names none.</param>
    /// <param name="environment">Reads <c>LOCALDOMAIN</c> and <c>RES_OPTIONS</c>, which override the file.</param>
    public static ResolvConf Parse(string text, string hostName, Func<string, string?> environment)
    {
        var servers = new List<IPEndPoint>();
        string[]? search = null;
        var conf = new ResolvConf([], []);
        foreach (var line in text.Split('\n'))
        {
            // A comment has its sign in the first column; what follows other values is theirs.
            var words = line.Length > 0 && line[0] is '#' or ';' ? [] : line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["nameserver", var address, ..] when servers.Count < MaxServers && IPAddress.TryParse(address, out var ip):
                    servers.Add(new IPEndPoint(ip, Port));
                    break;
                case ["domain", var domain, ..]:
                    search = [domain];
                    break;
                case ["search", .. var domains] when domains.Length > 0:
                    search = domains;
                    break;
                case ["options", .. var options]:
                    conf = WithOptions(conf, options);
                    break;
            }
        }

        if (environment("LOCALDOMAIN") is { } local)
        {
            search = local.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        }

        if (environment("RES_OPTIONS") is { } more)
        {
            conf = WithOptions(conf, more.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        }

        var dot = hostName.IndexOf('.', StringComparison.Ordinal);
        search ??= dot < 0 ? [] : [hostName[(dot + 1)..]];
        return conf with
        {
            Servers = servers.Count > 0 ? servers : [new IPEndPoint(IPAddress.Loopback, Port)],
            Search = [.. search.Select(d => d.Trim('.')).Where(d => d.Length > 0).Take(MaxSearch)],
        };
    }

    private static ResolvConf WithOptions(ResolvConf conf, IEnumerable<string> options)
    {
        foreach (var option in options)
        {
            conf = option switch
            {
                "rotate" => conf with { Rotate = true },
                "use-vc" => conf with { UseTcp = true },
                "no-aaaa" => conf with { NoIPv6 = true },
                "no-tld-query" => conf with { NoTopLevel = true },
                _ when Number(option, "ndots:") is { } ndots => conf with { Ndots = Math.Min(ndots, MaxNdots) },
                _ when Number(option, "timeout:") is { } seconds => conf with { Timeout = TimeSpan.FromSeconds(Math.Clamp(seconds, 1, MaxTimeout)) },
                _ when Number(option, "attempts:") is { } attempts => conf with { Attempts = Math.Clamp(attempts, 1, MaxAttempts) },
                _ => conf,
            };
        }

        return conf;
    }

    private static int? Number(string option, string name)
        => option.StartsWith(name, StringComparison.Ordinal) && int.TryParse(option.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
}

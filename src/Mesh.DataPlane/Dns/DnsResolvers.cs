using System.Net;
using Mesh.DataPlane.Configuration;

namespace Mesh.DataPlane.Dns;

/// <summary>Chooses the resolver of this process.</summary>
internal static class DnsResolvers
{
    /// <summary>Our own where the settings or <c>resolv.conf</c> say whom to ask; macOS has one too, and asks others.</summary>
    public static IDnsResolver Create(MeshClientOptions options, TimeProvider time)
    {
        var hasConf = OperatingSystem.IsLinux() && File.Exists(ResolvConf.Path);
        if (!hasConf && options.DnsServers.Count == 0)
        {
            return new SystemResolver();
        }

        List<IPEndPoint> servers = [.. options.DnsServers.Select(text => DnsServerAddresses.TryParse(text, out var server)
            ? server
            : throw new ArgumentException($"'{text}' is not the address of a DNS server.", nameof(options)))];
        var conf = hasConf ? new WatchedFile<ResolvConf>(ResolvConf.Path, Parse).Read : Constant(Parse(""));
        var hosts = new WatchedFile<HostsFile>(options.HostsFile ?? HostsFile.DefaultPath, HostsFile.Parse);
        return new StubResolver(servers.Count == 0 ? conf : () => conf() with { Servers = servers }, hosts.Read, CryptoRandomSource.Instance, time);
    }

    private static ResolvConf Parse(string text) => ResolvConf.Parse(text, System.Net.Dns.GetHostName(), Environment.GetEnvironmentVariable);

    private static Func<ResolvConf> Constant(ResolvConf conf) => () => conf;
}

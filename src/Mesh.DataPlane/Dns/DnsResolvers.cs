namespace Mesh.DataPlane.Dns;

/// <summary>Chooses the resolver of this machine.</summary>
internal static class DnsResolvers
{
    /// <summary>Our own where <c>resolv.conf</c> says whom to ask; macOS has one too, and asks others.</summary>
    public static IDnsResolver ForThisMachine(TimeProvider time)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(ResolvConf.Path))
        {
            return new SystemResolver();
        }

        var conf = new WatchedFile<ResolvConf>(ResolvConf.Path, text => ResolvConf.Parse(text, System.Net.Dns.GetHostName(), Environment.GetEnvironmentVariable));
        var hosts = new WatchedFile<HostsFile>(HostsFile.Path, HostsFile.Parse);
        return new StubResolver(conf.Read, hosts.Read, CryptoRandomSource.Instance, time);
    }
}

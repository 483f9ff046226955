using System.Net;
using Mesh.DataPlane.Dns;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Configuration;

/// <summary>Says at start-up what is wrong with the section <c>Mesh</c>, all of it at once.</summary>
internal sealed class MeshOptionsValidator : IValidateOptions<MeshOptions>
{
    public ValidateOptionsResult Validate(string? name, MeshOptions options)
    {
        var failures = new List<string>();
        Positive(options.Xds.ResourceTimeout, "Mesh:Xds:ResourceTimeout");
        Positive(options.Client.UnknownHostTimeout, "Mesh:Client:UnknownHostTimeout");
        Positive(options.Client.UnknownHostCacheDuration, "Mesh:Client:UnknownHostCacheDuration");
        Positive(options.Client.OnDemandIdleTimeout, "Mesh:Client:OnDemandIdleTimeout");
        Check(options.Client.DrainDuration >= TimeSpan.Zero, $"Mesh:Client:DrainDuration is {options.Client.DrainDuration}; it must not be negative.");
        CheckTcpListeners(options.Client.TcpListeners);
        Check(options.Metrics.MaxSeries is >= 1 and <= 1_000_000, $"Mesh:Metrics:MaxSeries is {options.Metrics.MaxSeries}; it must be a number from 1 to 1000000.");
        Positive(options.Server.DrainTimeout, "Mesh:Server:DrainTimeout");
        Check(options.Server.DrainDuration >= TimeSpan.Zero, $"Mesh:Server:DrainDuration is {options.Server.DrainDuration}; it must not be negative.");
        Check(options.Health.Port is null or (>= 0 and <= ushort.MaxValue), $"Mesh:Health:Port is {options.Health.Port}; a port is a number up to {ushort.MaxValue}, and 0 one that is free.");
        Check(options.Tracing.Sampling is >= 0 and <= 100, $"Mesh:Tracing:Sampling is {options.Tracing.Sampling}; it is a percentage, from 0 to 100.");
        Check(Enum.IsDefined(options.Tracing.ServiceName), $"Mesh:Tracing:ServiceName is {options.Tracing.ServiceName}; use AppLabelAndNamespace, CanonicalNameOnly or CanonicalNameAndNamespace.");
        CheckCollector(options.Tracing.ZipkinEndpoint, "Mesh:Tracing:ZipkinEndpoint", "http://zipkin:9411/api/v2/spans");
        CheckCollector(options.Tracing.OtlpEndpoint, "Mesh:Tracing:OtlpEndpoint", "http://collector:4318/v1/traces");
        Check(
            options.Tracing is not { ZipkinEndpoint: not null, OtlpEndpoint: not null },
            "Mesh:Tracing:ZipkinEndpoint and Mesh:Tracing:OtlpEndpoint are both set; spans go to one collector.");
        foreach (var path in options.Health.Paths)
        {
            Check(path.StartsWith('/'), $"Mesh:Health:Paths names '{path}'; a path begins with /.");
        }

        CheckAdmin(options.Admin);
        foreach (var port in options.Server.AllowUnmeshed)
        {
            Check(port is > 0 and <= ushort.MaxValue, $"Mesh:Server:AllowUnmeshed names {port}; a port is a number from 1 to {ushort.MaxValue}.");
        }

        Check(options.Client.MaxOnDemandHosts >= 1, $"Mesh:Client:MaxOnDemandHosts is {options.Client.MaxOnDemandHosts}; it must be at least 1.");
        Check(
            options.Client.OutboundTrafficPolicy is not { } policy || Enum.IsDefined(policy),
            $"Mesh:Client:OutboundTrafficPolicy is {options.Client.OutboundTrafficPolicy}; use AllowAny or RegistryOnly, or leave it out.");
        Check(Enum.IsDefined(options.Client.LocalReplies), $"Mesh:Client:LocalReplies is {options.Client.LocalReplies}; use Response or Throw.");
        Check(Enum.IsDefined(options.Xds.LoadReporting), $"Mesh:Xds:LoadReporting is {options.Xds.LoadReporting}; use Auto, Always or Never.");
        Check(
            options.Xds.KeepAliveInterval is not { } keepAlive || keepAlive > TimeSpan.Zero,
            $"Mesh:Xds:KeepAliveInterval is {options.Xds.KeepAliveInterval}; it must be greater than zero.");
        Check(Uri.CheckHostName(options.ClusterDomain) == UriHostNameType.Dns, $"Mesh:ClusterDomain is '{options.ClusterDomain}'; it must be a DNS name such as cluster.local.");
        Check(IsLabel(options.Workload.Namespace), $"Mesh:Workload:Namespace is '{options.Workload.Namespace}'; it must be a DNS label such as default.");
        foreach (var host in options.Preload)
        {
            Check(HostNames.TryParse(host, out _), $"Mesh:Preload names '{host}'; write host or host:port, such as reviews:9080.");
        }

        Check(options.Client.DnsServers.Count <= ResolvConf.MaxServers, $"Mesh:Client:DnsServers has {options.Client.DnsServers.Count} servers; at most {ResolvConf.MaxServers} are asked.");
        foreach (var server in options.Client.DnsServers)
        {
            Check(DnsServerAddresses.TryParse(server, out _), $"Mesh:Client:DnsServers names '{server}'; write ip or ip:port, such as 10.0.0.10 or [fd00::10]:5353.");
        }

        Check(
            options.Client.HostsFile is not { } hosts || File.Exists(hosts),
            $"Mesh:Client:HostsFile names '{options.Client.HostsFile}', which does not exist; name a file in the format of /etc/hosts, or leave the setting out.");

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckAdmin(MeshAdminOptions admin)
        {
            Check(admin.Port is null or (>= 0 and <= ushort.MaxValue), $"Mesh:Admin:Port is {admin.Port}; a port is a number up to {ushort.MaxValue}, and 0 one that is free.");
            Check(
                admin.Address == "*" || IPAddress.TryParse(admin.Address, out _),
                $"Mesh:Admin:Address is '{admin.Address}'; write an IP address such as 127.0.0.1, or * for every address of the machine.");
            Check(admin.Port is null || admin.Port == 0 || admin.Port != options.Health.Port, $"Mesh:Admin:Port is {admin.Port}, which is Mesh:Health:Port; each needs a port of its own.");
            Check(admin.RecordedDecisions is >= 0 and <= 10_000, $"Mesh:Admin:RecordedDecisions is {admin.RecordedDecisions}; it is a number from 0 to 10,000.");
            foreach (var host in admin.AllowedHosts)
            {
                Check(Uri.CheckHostName(host) != UriHostNameType.Unknown, $"Mesh:Admin:AllowedHosts names '{host}'; write a host name without scheme and port, such as reviews.example.com.");
            }
        }

        void CheckTcpListeners(IList<MeshTcpListenerOptions> listeners)
        {
            for (var i = 0; i < listeners.Count; i++)
            {
                var (listener, key) = (listeners[i], $"Mesh:Client:TcpListeners:{i}");
                Check(
                    listener.Service.Contains(':', StringComparison.Ordinal) && HostNames.TryParse(listener.Service, out _),
                    $"{key}:Service is '{listener.Service}'; write host:port, such as mysql:3306.");
                var isAddress = IPEndPoint.TryParse(listener.Listen, out var address) && listener.Listen.EndsWith($":{address.Port}", StringComparison.Ordinal);
                Check(
                    isAddress && IPAddress.IsLoopback(address!.Address),
                    $"{key}:Listen is '{listener.Listen}'; write a loopback address and a port, such as 127.0.0.1:13306, or port 0 for a free one: who reaches it is taken for this process.");
                Check(
                    !isAddress || address!.Port == 0 || !listeners.Take(i).Any(other => IPEndPoint.TryParse(other.Listen, out var taken) && taken.Equals(address)),
                    $"{key}:Listen is '{listener.Listen}', where another entry of Mesh:Client:TcpListeners listens already.");
                Check(listener.MaxConnections >= 1, $"{key}:MaxConnections is {listener.MaxConnections}; it must be at least 1.");
                Check(listener.DrainTimeout >= TimeSpan.Zero, $"{key}:DrainTimeout is {listener.DrainTimeout}; it must not be negative.");
            }
        }

        void CheckCollector(Uri? address, string key, string example)
            => Check(
                address is null || (address.IsAbsoluteUri && address.Scheme is "http" or "https" && address.UserInfo.Length == 0),
                $"{key} is no address of a collector; write one such as {example}.");

        void Positive(TimeSpan value, string key) => Check(value > TimeSpan.Zero, $"{key} is {value}; it must be greater than zero.");

        void Check(bool holds, string message)
        {
            if (!holds)
            {
                failures.Add(message);
            }
        }
    }

    private static bool IsLabel(string text)
        => text.Length is > 0 and <= 63 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';
}

using Mesh.DataPlane.Inbound;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>
/// Asks an authorizer about each connection before a byte of it is read (Envoy's <c>envoy.filters.network.ext_authz</c>). Whatever goes wrong closes it,
/// unless failures are to let pass.
/// </summary>
internal sealed partial class NetworkExtAuthzFilter(string name, NetworkExtAuthzSettings settings) : NetworkFilter(name)
{
    private const string MetadataNamespace = "envoy.filters.network.ext_authz";

    private NetworkExtAuthzCounters? _counters;

    public override IEnumerable<string> Clusters { get; } = [settings.Authorizer.Cluster];

    // Asked once, when it is made.
    public override bool Admits(ConnectionFacts connection) => true;

    public override async ValueTask<bool> JudgeAsync(ConnectionFacts connection, ConnectionMetadata metadata, FilterServices services, CancellationToken cancellationToken)
    {
        var counters = _counters ??= new NetworkExtAuthzCounters(services.Metrics, settings.Prefix);
        if (settings.Enabled is { } enabled && !enabled.IsMatchOf(metadata.Find(enabled.Filter)))
        {
            counters.Disabled.Increment();
            return true;
        }

        counters.Total.Increment();
        counters.Active.Add(1);
        CheckResult result;
        try
        {
            result = await settings.Authorizer.CheckAsync(CheckRequests.Create(connection, settings.Context, metadata, services), services, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Failed(services.Logger, settings.Authorizer.Cluster, e.Message, settings.FailureModeAllow ? "passes" : "is refused");
            result = new CheckResult(CheckStatus.Error);
        }
        finally
        {
            counters.Active.Add(-1);
        }

        if (result.Metadata is { } left)
        {
            metadata.Set(MetadataNamespace, left);
        }

        switch (result.Status)
        {
            case CheckStatus.Ok:
                counters.Ok.Increment();
                return true;
            case CheckStatus.Denied:
                counters.Denied.Increment();
                services.Denials.Connection($"{Name} by {settings.Authorizer.Cluster}", connection);
                break;
            default:
                counters.Error.Increment();
                if (settings.FailureModeAllow)
                {
                    counters.FailureModeAllowed.Increment();
                    return true;
                }

                break;
        }

        metadata.Details = result.Status == CheckStatus.Denied ? "ext_authz_denied" : "ext_authz_error";
        counters.Closed.Increment();
        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(11, LogLevel.Warning, "The authorizer {Cluster} cannot be asked about a connection, which {Fate}: {Reason}")]
        public static partial void Failed(ILogger logger, string cluster, string reason, string fate);
    }
}

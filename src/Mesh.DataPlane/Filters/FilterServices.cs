using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Filters.JwtAuthn;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Telemetry;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Filters;

/// <summary>What filters take from the process.</summary>
/// <param name="Time">Their clock.</param>
/// <param name="Random">Their chance; one more draw for each fraction that is neither all nor nothing.</param>
/// <param name="Cluster">The service cluster of this process in the mesh (<c>node.cluster</c>).</param>
internal sealed record FilterServices(TimeProvider Time, IRandomSource Random, string Cluster = "")
{
    private IClusterCalls? _calls;
    private DenialLog? _denials;
    private RemoteJwksDirectory? _remoteJwks;

    /// <summary>The application's routing takes <c>/admin/</c> for <c>/admin</c>, and who judges paths is to know (<see cref="MeshServerOptions.CaseInsensitivePaths"/>).</summary>
    public bool CaseInsensitivePaths { get; init; }

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Whom listeners tell of their requests.</summary>
    public MeshTelemetry Telemetry { get; init; } = new(Time);

    /// <summary>Where they count.</summary>
    public MetricRegistry Metrics { get; init; } = new();

    /// <summary>Tells of what authorization has denied.</summary>
    public DenialLog Denials => _denials ??= new DenialLog(Logger, Time);

    /// <summary>Who this process is to those that connect to it by TLS; empty where nobody has said.</summary>
    public string Principal { get; init; } = "";

    /// <summary>This workload's labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The keys that are fetched to verify tokens.</summary>
    public RemoteJwksDirectory RemoteJwks => _remoteJwks ?? Interlocked.CompareExchange(ref _remoteJwks, new RemoteJwksDirectory(this), null) ?? _remoteJwks;

    /// <summary>How they ask others; given by the engine that the filters belong to.</summary>
    public IClusterCalls Calls
    {
        get => _calls ?? throw new InvalidOperationException("These filters belong to no engine, and there is nobody to call.");
        set => _calls = value;
    }
}

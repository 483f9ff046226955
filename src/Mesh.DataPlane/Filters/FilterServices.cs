using Mesh.DataPlane.Calls;
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

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>How they ask others; given by the engine that the filters belong to.</summary>
    public IClusterCalls Calls
    {
        get => _calls ?? throw new InvalidOperationException("These filters belong to no engine, and there is nobody to call.");
        set => _calls = value;
    }
}

using System.Diagnostics;
using Mesh.Xds.Bootstrap;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// The source of the mesh's spans, twice: applications listen to both by one name, and only they to <see cref="Shared"/>. So whether it has listeners
/// tells whether the application has a sampler, whose word then counts; where it has none, what the mesh has decided to trace comes from
/// <see cref="Own"/>.
/// </summary>
internal static class MeshActivitySource
{
    public const string Name = "Mesh";

    [ThreadStatic]
    private static TraceSampler? _sampler;

    private static int _listens;

    public static ActivitySource Shared { get; } = new(Name, XdsNode.UserAgentVersion);

    private static ActivitySource Own { get; } = new(Name, XdsNode.UserAgentVersion);

    /// <summary>A span that the mesh has decided to make, up to the sampler; not started.</summary>
    public static Activity? Create(string name, ActivityKind kind, in ActivityContext parent, TraceSampler? sampler)
    {
        Listen();
        _sampler = sampler;
        try
        {
            return Own.CreateActivity(name, kind, parent);
        }
        finally
        {
            _sampler = null;
        }
    }

    private static void Listen()
    {
        if (Volatile.Read(ref _listens) != 0 || Interlocked.Exchange(ref _listens, 1) != 0)
        {
            return;
        }

        ActivitySource.AddActivityListener(new ActivityListener
        {
            ShouldListenTo = static source => ReferenceEquals(source, Own),
            Sample = static (ref ActivityCreationOptions<ActivityContext> options) => _sampler is null || _sampler.Samples(options.Parent, options.TraceId)
                ? ActivitySamplingResult.AllDataAndRecorded
                : ActivitySamplingResult.None,
        });
    }
}

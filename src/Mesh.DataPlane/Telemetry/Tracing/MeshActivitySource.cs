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

    public static ActivitySource Shared { get; } = new(Name, XdsNode.UserAgentVersion);

    /// <summary>A span that the mesh has decided to make, up to the sampler; not started.</summary>
    public static Activity? Create(string name, ActivityKind kind, in ActivityContext parent, TraceSampler? sampler)
    {
        _sampler = sampler;
        try
        {
            return Own.Source.CreateActivity(name, kind, parent);
        }
        finally
        {
            _sampler = null;
        }
    }

    /// <summary>Made with its listener when the first span is: whoever makes one at the same time waits for it, and loses none.</summary>
    private static class Own
    {
        public static ActivitySource Source { get; } = Create();

        private static ActivitySource Create()
        {
            var source = new ActivitySource(Name, XdsNode.UserAgentVersion);
            ActivitySource.AddActivityListener(new ActivityListener
            {
                ShouldListenTo = other => ReferenceEquals(other, source),
                Sample = static (ref ActivityCreationOptions<ActivityContext> options) => _sampler is null || _sampler.Samples(options.Parent, options.TraceId)
                    ? ActivitySamplingResult.AllDataAndRecorded
                    : ActivitySamplingResult.None,
            });
            return source;
        }
    }
}

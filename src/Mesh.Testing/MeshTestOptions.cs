using Microsoft.Extensions.Logging;

namespace Mesh.Testing;

/// <summary>How an in-memory mesh keeps time, draws chance and remembers.</summary>
public sealed class MeshTestOptions
{
    /// <summary>The clock of the mesh and of the applications that it configures.</summary>
    /// <value>By default a <see cref="ManualTimeProvider"/>, which <see cref="MeshTestHost.Time"/> returns.</value>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>Where weights, load balancing and jitter draw from.</summary>
    /// <value>By default a <see cref="SeededRandomSource"/> that begins with <see cref="Seed"/>: every run of a test draws the same numbers.</value>
    public IRandomSource? Random { get; set; }

    /// <summary>Where the default random source begins; ignored when <see cref="Random"/> is set.</summary>
    /// <value>The default value is 0.</value>
    public ulong Seed { get; set; }

    /// <summary>Who calls when <see cref="MeshTestHost.CreateClient"/> is not told.</summary>
    /// <value>By default a workload in the namespace <c>default</c> with the label <c>app=test</c>.</value>
    public MeshWorkload Workload { get; set; } = new("test");

    /// <summary>
    /// What happens to hosts that the mesh does not know, for the clients that <see cref="MeshTestHost.CreateClient"/> makes;
    /// <see langword="null"/>: what the documents say (<c>outboundTrafficPolicy</c> of MeshConfig or Sidecar).
    /// </summary>
    /// <value>The default value is <see cref="OutboundTrafficMode.RegistryOnly"/>: a test hears of a host that it has forgotten.</value>
    public OutboundTrafficMode? OutboundTrafficPolicy { get; set; } = OutboundTrafficMode.RegistryOnly;

    /// <summary>How many decisions are remembered; the oldest goes first.</summary>
    /// <value>The default value is 10,000.</value>
    public int MaxDecisions { get; set; } = 10_000;

    /// <summary>
    /// How long <see cref="MeshTestHost.SettledAsync"/> waits before it says who has not answered. Measured by the system's clock: a clock that
    /// stands still would never end a wait in vain.
    /// </summary>
    /// <value>The default value is 30 seconds.</value>
    public TimeSpan SettleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Receives what the control plane and the clients made by the mesh log; an application under test logs to its own.</summary>
    /// <value>Unset by default: nothing is logged.</value>
    public ILoggerFactory? LoggerFactory { get; set; }
}

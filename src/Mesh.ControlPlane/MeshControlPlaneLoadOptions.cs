namespace Mesh.ControlPlane;

/// <summary>What the control plane wants to be told of who calls whom (Envoy's load reporting service, LRS).</summary>
public sealed class MeshControlPlaneLoadOptions
{
    /// <summary>Take load reports.</summary>
    /// <value>The default value is <see langword="true"/>; otherwise clients are told that the service is not implemented.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>How often clients report (<c>load_reporting_interval</c>).</summary>
    /// <value>The default value is 10 seconds; from 1 second to 1 minute.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long reports are kept.</summary>
    /// <value>The default value is 5 minutes; at least three times <see cref="Interval"/>, at most 1 hour.</value>
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Let clients report each endpoint by itself, so that it is known which workload answered (<c>report_endpoint_granularity</c>).</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    public bool Endpoints { get; set; } = true;
}

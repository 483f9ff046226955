namespace Mesh.DataPlane.Calls;

/// <summary>A cluster could not be asked.</summary>
/// <param name="cluster">Its name.</param>
/// <param name="details">Why, in the words of <c>MeshRequest.ResponseCodeDetails</c>.</param>
/// <param name="inner">What was thrown on the way.</param>
internal sealed class ClusterCallException(string cluster, string details, Exception? inner = null)
    : Exception($"The cluster '{cluster}' could not be asked: {details}.", inner)
{
    public string Cluster { get; } = cluster;

    public string Details { get; } = details;
}

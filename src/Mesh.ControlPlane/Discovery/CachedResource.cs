using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Discovery;

/// <summary>A resource with what it was made from.</summary>
internal sealed record CachedResource(ResourceInputs Inputs, AdsResource Resource);

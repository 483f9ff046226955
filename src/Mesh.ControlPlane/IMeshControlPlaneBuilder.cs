using Microsoft.Extensions.DependencyInjection;

namespace Mesh.ControlPlane;

/// <summary>What <c>AddMeshControlPlane()</c> returns: further features are extension methods on it.</summary>
public interface IMeshControlPlaneBuilder
{
    /// <summary>The services of the application.</summary>
    IServiceCollection Services { get; }
}

using Microsoft.Extensions.DependencyInjection;

namespace Mesh;

/// <summary>What <c>AddMesh()</c> returns: further features are extension methods on it.</summary>
public interface IMeshBuilder
{
    /// <summary>The services of the application.</summary>
    IServiceCollection Services { get; }
}

using Microsoft.Extensions.DependencyInjection;

namespace Mesh.ControlPlane.Hosting;

internal sealed record MeshControlPlaneBuilder(IServiceCollection Services) : IMeshControlPlaneBuilder;

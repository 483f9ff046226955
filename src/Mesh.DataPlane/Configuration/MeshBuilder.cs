using Microsoft.Extensions.DependencyInjection;

namespace Mesh.DataPlane.Configuration;

internal sealed record MeshBuilder(IServiceCollection Services) : IMeshBuilder;

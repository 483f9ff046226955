using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client;

internal sealed record MeshBuilder(IServiceCollection Services) : IMeshBuilder;

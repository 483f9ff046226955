using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Mesh.ControlPlane.Tests;

/// <summary>Who knows whom (docs/adr/0017).</summary>
public sealed class RoomsTests
{
    [Fact]
    public void Of_the_engine_the_control_plane_knows_the_readers_of_texts_alone()
    {
        using var file = File.OpenRead(typeof(ControlPlane.Config.ConfigReaderOptions).Assembly.Location);
        using var assembly = new PEReader(file);
        var metadata = assembly.GetMetadataReader();

        var namespaces = metadata.TypeReferences
            .Select(metadata.GetTypeReference)
            .Where(type => type.ResolutionScope.Kind == HandleKind.AssemblyReference
                && metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name) == "Mesh.DataPlane")
            .Select(type => metadata.GetString(type.Namespace))
            .Distinct()
            .Order(StringComparer.Ordinal);

        namespaces.ShouldBe(["Mesh.DataPlane.Expressions", "Mesh.DataPlane.Formatting", "Mesh.DataPlane.Matching.Re2"]);
    }
}

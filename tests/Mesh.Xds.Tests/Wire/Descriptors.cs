using System.Reflection;
using Google.Protobuf.Reflection;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Wire;

/// <summary>Every descriptor that the project's own .proto files give.</summary>
internal static class Descriptors
{
    public static IReadOnlyList<FileDescriptor> Files { get; } =
        new[] { typeof(TypeUrls).Assembly, Assembly.Load("Mesh.ControlPlane") }
            .SelectMany(assembly => assembly.GetTypes())
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(property => property?.PropertyType == typeof(FileDescriptor))
            .Select(property => (FileDescriptor)property!.GetValue(null)!)
            .Where(file => !IsOwn(file.Package))
            .ToList();

    public static IReadOnlyDictionary<string, MessageDescriptor> Messages { get; } =
        Files.SelectMany(file => file.MessageTypes).SelectMany(WithNested).ToDictionary(message => message.FullName);

    public static IReadOnlyList<EnumDescriptor> Enums { get; } =
        Files.SelectMany(file => file.EnumTypes).Concat(Messages.Values.SelectMany(message => message.EnumTypes)).ToList();

    private static IEnumerable<MessageDescriptor> WithNested(MessageDescriptor message) =>
        message.NestedTypes.Where(nested => !nested.GetOptions()?.MapEntry ?? true).SelectMany(WithNested).Prepend(message);

    /// <summary>Kinds of the project's own making, and those of Kubernetes, which publishes no such .proto.</summary>
    private static bool IsOwn(string package) => package == "istio.v1" || package.StartsWith("mesh.", StringComparison.Ordinal);
}

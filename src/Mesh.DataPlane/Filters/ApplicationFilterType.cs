using System.Reflection;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.Filters;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.DataPlane.Filters;

/// <summary>A filter of the application: one object for each configuration, made when the configuration arrives.</summary>
internal sealed class ApplicationFilterType(HttpFilterRegistration registration, IServiceProvider services) : FilterType
{
    private readonly bool _takesConfiguration = registration.FilterType.GetConstructors()
        .Any(c => c.GetParameters().Any(p => p.ParameterType == typeof(JsonElement)));

    // The message of a type that is published with this data plane can be read even where no filter for it is built in.
    private readonly Lazy<MessageDescriptor?> _descriptor = new(() => FindDescriptor(registration.TypeName));

    public override string ConfigType => registration.TypeName;

    public override object Read(in FilterMessage message, string path, ICollection<string> notes)
    {
        var configuration = message.ToJson(_descriptor.Value, path);
        try
        {
            return _takesConfiguration
                ? ActivatorUtilities.CreateInstance(services, registration.FilterType, configuration)
                : ActivatorUtilities.CreateInstance(services, registration.FilterType);
        }
        catch (Exception e)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            throw new ResourceRejectedException(path, $"{registration.FilterType.Name} refuses its configuration: {cause.Message}");
        }
    }

    public override object ReadRoute(in FilterMessage message, string path, ICollection<string> notes) => Read(message, path, notes);

    public override HttpFilter Create(in FilterBinding binding) => (HttpFilter)binding.MostSpecific;

    private static MessageDescriptor? FindDescriptor(string fullName)
        => typeof(Envoy.Config.Listener.V3.Listener).Assembly.GetTypes()
            .Where(t => t is { IsAbstract: false } && typeof(IMessage).IsAssignableFrom(t))
            .Select(t => (MessageDescriptor?)t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
            .FirstOrDefault(d => d?.FullName == fullName);
}

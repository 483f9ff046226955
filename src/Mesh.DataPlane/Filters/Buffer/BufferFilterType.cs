using Envoy.Extensions.Filters.Http.Buffer.V3;
using Mesh.Filters;
using Message = Envoy.Extensions.Filters.Http.Buffer.V3.Buffer;

namespace Mesh.DataPlane.Filters.Buffer;

/// <summary>Envoy's <c>envoy.filters.http.buffer</c>.</summary>
internal sealed class BufferFilterType() : FilterType<Message, BufferPerRoute>(Message.Parser, BufferPerRoute.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding) => binding.MostSpecific as BufferFilter;

    protected override object Compile(Message message, string path, ICollection<string> notes) => new BufferFilter(message.MaxRequestBytes!.Value);

    // Anything but a filter stands for "disabled".
    protected override object CompileRoute(BufferPerRoute message, string path, ICollection<string> notes)
        => message.Buffer is { } buffer ? Compile(buffer, path + ".buffer", notes) : false;
}

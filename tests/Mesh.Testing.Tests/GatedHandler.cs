namespace Mesh.Testing.Tests;

/// <summary>An endpoint that answers when it is told to, or always the same.</summary>
internal sealed class GatedHandler : HttpMessageHandler
{
    private readonly string? _text;

    public GatedHandler(string? text = null) => _text = text;

    public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<HttpResponseMessage> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Arrived.TrySetResult();
        return _text is null ? Answer.Task.WaitAsync(cancellationToken) : Task.FromResult(new HttpResponseMessage { Content = new StringContent(_text) });
    }
}

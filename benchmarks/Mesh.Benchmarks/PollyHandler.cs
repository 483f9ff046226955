using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Mesh.Benchmarks;

/// <summary>The peer: what a careful team writes by hand, a Polly pipeline in a handler, without an allocation that can be avoided.</summary>
internal sealed class PollyHandler : DelegatingHandler
{
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
        .AddTimeout(TimeSpan.FromSeconds(15))
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage> { MaxRetryAttempts = 2, ShouldHandle = static arguments => new ValueTask<bool>(IsTransient(arguments.Outcome)) })
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage> { ShouldHandle = static arguments => new ValueTask<bool>(IsTransient(arguments.Outcome)) })
        .AddTimeout(TimeSpan.FromSeconds(5))
        .Build();

    public static SocketCaller Caller(int[] ports)
        => SocketCaller.Of(new PollyHandler { InnerHandler = new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false } }, ports);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    try
                    {
                        return Outcome.FromResult(await state.Handler.SendInnerAsync(state.Request, context.CancellationToken).ConfigureAwait(false));
                    }
                    catch (Exception e)
                    {
                        return Outcome.FromException<HttpResponseMessage>(e);
                    }
                },
                context,
                (Handler: this, Request: request)).ConfigureAwait(false);
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome)
        => outcome.Exception is HttpRequestException || outcome.Result is { StatusCode: HttpStatusCode.ServiceUnavailable };

    private Task<HttpResponseMessage> SendInnerAsync(HttpRequestMessage request, CancellationToken cancellationToken) => base.SendAsync(request, cancellationToken);
}

import createClient from "openapi-fetch";
import type { paths, components } from "./generated/api";

const api = createClient<paths>({ baseUrl: process.env["API"] ?? "http://127.0.0.1:3000" });

export async function job(channel_id: string, board_id: string): Promise<void> {
  await api.PUT("/api/v1/admin/integrations/pinterest", { body: { app_id: "1", app_secret: "s", status: "enabled", environment: "sandbox" } });
  await api.POST("/api/v1/auth/pinterest/start", {});
  const started = await api.POST("/api/v1/auth/pinterest/start", { body: {} });
  if (!started.data) throw new Error("detail" in started.error ? started.error.detail : started.error.message);
  await api.POST("/api/v1/channels/{id}/boards", { params: { path: { id: channel_id } }, body: { name: "Salads" } });
  await api.GET("/api/v1/channels/{id}/boards", { params: { path: { id: channel_id }, query: { sections: true } } });
  const media = { kind: "image", url: "https://images.example.com/a.jpg" } as const;
  const pin = await api.POST("/api/v1/pins", { body: { channel_id, board_id, title: "t", media } });
  await api.POST("/api/v1/pins", { body: { channel_id, media, publish_at: "2026-12-01T09:00:00Z" } });
  await api.POST("/api/v1/pins", { body: { channel_id, media, publish_at: { local: "2026-12-01T09:00", time_zone: "UTC" } } });
  await api.POST("/api/v1/pins", { params: { header: { "Idempotency-Key": "k" } }, body: { channel_id, media: { kind: "video", url: "https://e.example/v.mp4", cover: { frame_seconds: 3 } } } });
  await api.POST("/api/v1/pins/bulk", { params: { query: { dry_run: true, channel_id } }, body: "a", bodySerializer: (text: unknown) => String(text), headers: { "content-type": "text/csv" } });
  await api.PATCH("/api/v1/pins/{id}", { params: { path: { id: "pin_" } }, body: { title: "x" } });
  const list = await api.GET("/api/v1/pins", { params: { query: { state: "waiting", limit: 5 } } });
  await api.GET("/api/v1/channels/{id}/analytics", { params: { path: { id: channel_id }, query: { metrics: ["SAVE"], from: "2026-11-01" } } });
  for (const item of list.data?.items ?? []) {
    if (item.state === "published" && item.media.kind === "image") console.log(item.media.url);
    const reason: components["schemas"]["WaitReason"] | null = item.reason;
    switch (reason) { case "quota": break; default: }
    // @ts-expect-error a misspelled state is found
    if (item.state === "publishd") return;
  }
  if (pin.error && "code" in pin.error && pin.error.code === "too_long") console.log(pin.error.fix);
}

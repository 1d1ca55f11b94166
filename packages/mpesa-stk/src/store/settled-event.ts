/** Of an event `e`: nobody needs it any more. The same in both dialects. */
export const isSettled = `e.status = 'DELIVERED' AND NOT EXISTS (SELECT 1 FROM relay_replays r
  WHERE r.state = 'RUNNING' AND r.app_id = e.app_id AND e.id > r.after_id AND e.id <= r.until_id)`
